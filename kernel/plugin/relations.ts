/** Checks plugins against each other: two for one thing, circles, and requirements nobody meets. */
import { closest } from '../../schemas/nearest.ts';
import { providers, requirementCycles } from './order.ts';
import { EXTENSION_POINTS, POINT_RULES } from './points/rules.ts';
import type { PluginProblem } from './problems.ts';
import type { PluginManifest } from './types.ts';
import type { Candidate } from './validate.ts';

/** Adds to each candidate the problems it has with the others. */
export function relate(
  candidates: readonly Candidate[],
  kernelServices: readonly string[],
  disabled: readonly PluginManifest[],
): void {
  const healthy = () => candidates.filter(({ problems }) => problems.length === 0);
  collide(healthy(), kernelServices);

  const manifests = healthy().map(({ manifest }) => manifest);
  const source = providers(manifests);
  for (const cycle of requirementCycles(manifests)) {
    const members = cycle
      .map((name) => candidates.find(({ manifest }) => manifest.name === name))
      .filter((found) => found !== undefined);
    const steps = members.map(({ manifest }, index) => {
      const next = cycle[(index + 1) % cycle.length];
      const service = manifest.requires?.find((required) => source.get(required) === next);
      return `"${manifest.name}" requires "${service}" of "${next}"`;
    });
    const message = `Plugins require each other in a circle: ${steps.join(', ')}.`;
    const problem: PluginProblem = {
      plugin: cycle[0] ?? '',
      step: 'relations',
      code: 'plugin_requirement_cycle',
      message,
    };
    for (const member of members) member.problems.push(problem);
  }

  // A plugin that falls takes those that require it along, so look again until nothing changes.
  for (let before = -1; before !== healthy().length; ) {
    before = healthy().length;
    const available = new Set([
      ...kernelServices,
      ...providers(healthy().map(({ manifest }) => manifest)).keys(),
    ]);
    for (const { manifest, problems } of healthy()) {
      for (const service of manifest.requires ?? []) {
        if (available.has(service)) continue;
        const message = `Plugin "${manifest.name}" requires the service "${service}", ${whyMissing(service)}`;
        problems.push({
          plugin: manifest.name,
          step: 'relations',
          code: 'plugin_requirement_missing',
          message,
        });
      }
    }
  }

  function whyMissing(service: string): string {
    const provides = (manifest: PluginManifest) => manifest.provides?.includes(service) === true;
    const off = disabled.find(provides)?.name;
    if (off !== undefined)
      return `which plugin "${off}" provides, but it is disabled: run "wopr plugin enable ${off}".`;
    const broken = candidates.find(({ manifest }) => provides(manifest))?.manifest.name;
    if (broken !== undefined) return `which plugin "${broken}" provides, but it has problems of its own.`;
    const known = [...kernelServices, ...candidates.flatMap(({ manifest }) => manifest.provides ?? [])];
    return `which no plugin provides; the nearest one is "${closest(service, known)}".`;
  }
}

/** Each service, id and command has one owner. */
function collide(candidates: readonly Candidate[], kernelServices: readonly string[]): void {
  const owners = new Map<string, Candidate>();
  const claim = (candidate: Candidate, key: string, verb: string, what: string) => {
    const owner = owners.get(key);
    if (owner === undefined) {
      owners.set(key, candidate);
      return;
    }
    // Where only one of the two may be absent, that one yields.
    const loser = owner.file.required || !candidate.file.required ? candidate : owner;
    const both = `"${owner.manifest.name}" (${owner.file.path}) and "${candidate.manifest.name}" (${candidate.file.path})`;
    report(loser, `Plugins ${both} both ${verb} the ${what}.`);
  };
  for (const candidate of candidates) {
    const { name, provides = [], contributes = {} } = candidate.manifest;
    for (const service of provides) {
      if (kernelServices.includes(service)) {
        report(
          candidate,
          `Plugin "${name}" (${candidate.file.path}) provides the service "${service}", which the kernel provides.`,
        );
      } else claim(candidate, `service ${service}`, 'provide', `service "${service}"`);
    }
    for (const point of EXTENSION_POINTS) {
      const { noun, shared, key = (id: string) => id } = POINT_RULES[point];
      if (shared) continue;
      for (const id of contributes[point] ?? [])
        claim(candidate, `${point} ${key(id)}`, 'contribute', `${noun} "${id}"`);
    }
    for (const { name } of contributes.commands ?? [])
      claim(candidate, `command ${name}`, 'contribute', `command "${name}"`);
  }
}

function report({ manifest, problems }: Candidate, message: string): void {
  problems.push({ plugin: manifest.name, step: 'relations', code: 'plugin_duplicate', message });
}
