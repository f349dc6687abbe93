/** Orders plugins by the services they need. */
import type { PluginManifest } from './types.ts';

type Needs = Pick<PluginManifest, 'name' | 'requires' | 'optional' | 'provides'>;

/** Where a plugin's services come from: service name -> name of the plugin that provides it. */
export function providers(plugins: readonly Needs[]): Map<string, string> {
  return new Map(plugins.flatMap(({ name, provides = [] }) => provides.map((service) => [service, name])));
}

/**
 * Providers before users; plugins free of each other by name. Optional services order too, unless that would close a circle.
 * The requirements must not be cyclic.
 */
export function activationOrder<P extends Needs>(plugins: readonly P[]): P[] {
  const provider = providers(plugins);
  const waiting = [...plugins].sort((a, b) => (a.name < b.name ? -1 : 1));
  const order: P[] = [];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const met = (services: readonly string[] = []) =>
      services.every((service) => !names.has(provider.get(service) ?? ''));
    let next = waiting.findIndex(({ requires, optional }) => met(requires) && met(optional));
    if (next < 0) next = waiting.findIndex(({ requires }) => met(requires));
    if (next < 0) throw new RangeError('the requirements are cyclic');
    order.push(...waiting.splice(next, 1));
  }
  return order;
}

/** Every circle of requirements, as the names along it, starting with the first in alphabetical order. */
export function requirementCycles(plugins: readonly Needs[]): string[][] {
  const provider = providers(plugins);
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (name: string, trail: readonly string[]) => {
    if (trail.includes(name)) {
      cycles.push(trail.slice(trail.indexOf(name)));
      return;
    }
    if (done.has(name)) return;
    for (const service of byName.get(name)?.requires ?? []) {
      const next = provider.get(service);
      if (next !== undefined) visit(next, [...trail, name]);
    }
    done.add(name);
  };
  for (const name of [...byName.keys()].sort()) visit(name, []);
  return cycles;
}
