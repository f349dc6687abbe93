/** Runs planned plugins: activates them in order, runs their hooks, stops them in reverse. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { WoprError } from '../errors.ts';
import { within } from './effects.ts';
import { Extensions } from './extensions.ts';
import { type PluginProblem, type PluginStep, pluginError } from './problems.ts';
import { type Hook, PluginScope, type Shared } from './scope.ts';
import type { PluginModule, PluginStatus, ServiceName, Services } from './types.ts';
import type { PluginPlan } from './validate.ts';

export interface PluginHostOptions {
  readonly plan: PluginPlan;
  /** Services the kernel provides itself. */
  readonly services: Partial<Services>;
  readonly logger: Logger;
  /** Default: a new, empty registry. */
  readonly extensions?: Extensions;
  /** For loading and activating one plugin, and for each `onReady` and `onServe` hook. Default 10 s. */
  readonly activationTimeoutMs?: number;
  /** For undoing one effect when a plugin stops. Default 5 s. */
  readonly disposeTimeoutMs?: number;
}

export class PluginHost {
  readonly extensions: Extensions;
  readonly #plan: PluginPlan;
  readonly #shared: Shared;
  readonly #timeouts: { readonly activation: number; readonly dispose: number };
  /** Running plugins in activation order. */
  #active: PluginScope[] = [];
  readonly #fallen = new Map<string, string>();

  constructor(options: PluginHostOptions) {
    const { plan, services, logger, activationTimeoutMs = 10_000, disposeTimeoutMs = 5_000 } = options;
    this.extensions = options.extensions ?? new Extensions(logger);
    this.#plan = plan;
    const kernelServices = new Map(Object.entries(services) as [ServiceName, unknown][]);
    this.#shared = { extensions: this.extensions, services: kernelServices, logger };
    this.#timeouts = { activation: activationTimeoutMs, dispose: disposeTimeoutMs };
  }

  /**
   * Activates every plugin of the plan. Throws when the plan has problems or a required plugin fails (nothing is left running then):
   * the error names plugin, step and cause. An optional plugin that fails becomes degraded, with those that require it.
   */
  async load(): Promise<void> {
    if (this.#plan.problems.length > 0) throw pluginError(this.#plan.problems);
    for (const { file, state, problems } of this.#plan.plugins) {
      if (state === 'degraded') this.#degrade(file.name, problems);
    }
    for (const candidate of this.#plan.order) {
      const scope = new PluginScope(candidate, this.#shared);
      const missing = this.#missing(scope);
      // Activated or not, it is in the list, so that a failure undoes what it did so far.
      this.#active.push(scope);
      if (missing === undefined) await this.#activate(scope);
      else await this.#fail(scope, missing);
    }
  }

  /** Runs the `onReady` hooks in activation order. Failures count as in `load`. */
  ready(): Promise<void> {
    return this.#runHooks('ready', 'onReady', (scope) => scope.readyHooks);
  }

  /** Runs the `onServe` hooks in activation order. Failures count as in `load`. */
  serve(): Promise<void> {
    return this.#runHooks('serve', 'onServe', (scope) => scope.serveHooks);
  }

  /** Runs the `onDrain` hooks in reverse order within `graceMs` for all; after that the rest is started but not waited for. */
  async drain(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    for (const scope of [...this.#active].reverse()) {
      for (const hook of [...scope.drainHooks].reverse()) {
        const left = Math.max(0, deadline - performance.now());
        await within(left, callHook(hook), tooSlow('its onDrain hook', graceMs)).catch((err) => {
          this.#shared.logger.error(
            { err, plugin: scope.candidate.manifest.name },
            'draining a plugin failed',
          );
        });
      }
    }
  }

  /** Stops one plugin after those that require its services. Stopping one that does not run does nothing. */
  async stop(name: string): Promise<void> {
    const scope = this.#active.find(({ candidate }) => candidate.manifest.name === name);
    if (scope !== undefined) await this.#dispose([...this.#dependents(scope), scope]);
  }

  /** Stops every plugin, in reverse order of activation. */
  async stopAll(): Promise<void> {
    await this.#dispose(this.#active);
  }

  status(): PluginStatus[] {
    const active = new Set(this.#active.map(({ candidate }) => candidate.file));
    return this.#plan.plugins.map(({ file, state }) => {
      const { name, version } = file;
      const reason = this.#fallen.get(name);
      if (reason !== undefined) return { name, version, state: 'degraded', reason };
      return { name, version, state: state === 'disabled' ? state : active.has(file) ? 'active' : 'stopped' };
    });
  }

  /** A service of the kernel or of an active plugin. */
  service<N extends ServiceName>(name: N): Services[N] | undefined {
    return this.#shared.services.get(name) as Services[N] | undefined;
  }

  /** Every effect in force, as `<plugin>: <label>`. */
  effects(): string[] {
    return this.#active.flatMap((scope) =>
      scope.effects().map((label) => `${scope.candidate.manifest.name}: ${label}`),
    );
  }

  async #activate(scope: PluginScope): Promise<void> {
    const { entry } = scope.candidate.manifest;
    if (entry === undefined) return;
    const { activation } = this.#timeouts;
    let step: PluginStep = 'load';
    try {
      const href = pathToFileURL(join(scope.candidate.file.folder, entry)).href;
      const module = (await within(
        activation,
        import(href),
        tooSlow(entry, activation),
      )) as Partial<PluginModule>;
      if (typeof module.activate !== 'function')
        throw new Error(`${entry} does not export a function "activate"`);
      step = 'activate';
      const { activate } = module;
      await within(
        activation,
        callHook(() => activate(scope.context)),
        tooSlow('activate', activation),
      );
      scope.assertComplete();
    } catch (error) {
      await this.#fail(scope, problemOf(scope, step, error), error);
    }
  }

  /** Stops the plugin with its dependents; throws if one of them is required, else marks them degraded. */
  async #fail(scope: PluginScope, problem: PluginProblem, cause?: unknown): Promise<void> {
    const dependents = this.#dependents(scope);
    const required = [...dependents, scope].some(({ candidate }) => candidate.file.required);
    await this.#dispose(required ? this.#active : [...dependents, scope]);
    const problems = [problem, ...dependents.flatMap((dependent) => this.#missing(dependent) ?? [])];
    if (required) throw pluginError(problems, cause);
    for (const each of problems) this.#degrade(each.plugin, [each], each === problem ? cause : undefined);
  }

  async #runHooks(
    step: PluginStep,
    name: string,
    hooksOf: (scope: PluginScope) => readonly Hook[],
  ): Promise<void> {
    const { activation } = this.#timeouts;
    for (const scope of [...this.#active]) {
      if (!this.#active.includes(scope)) continue; // fell together with another one
      try {
        for (const hook of hooksOf(scope))
          await within(activation, callHook(hook), tooSlow(`its ${name} hook`, activation));
      } catch (error) {
        await this.#fail(scope, problemOf(scope, step, error), error);
      }
    }
  }

  #missing({ candidate, title }: PluginScope): PluginProblem | undefined {
    const { name, requires = [] } = candidate.manifest;
    const service = requires.find((required) => !this.#shared.services.has(required as ServiceName));
    if (service === undefined) return undefined;
    const message = `${title} requires the service "${service}", whose plugin failed.`;
    return { plugin: name, step: 'activate', code: 'plugin_requirement_missing', message };
  }

  #degrade(name: string, problems: readonly PluginProblem[], cause?: unknown): void {
    const reason = problems.map(({ step, message }) => `${step}: ${message}`).join(' ');
    this.#fallen.set(name, reason);
    this.#shared.logger.warn({ plugin: name, reason, err: cause }, 'optional plugin is degraded');
  }

  /** Active plugins that require a service of this one, directly or not, in activation order. */
  #dependents(scope: PluginScope): PluginScope[] {
    const provided = new Set(scope.candidate.manifest.provides);
    const dependents: PluginScope[] = [];
    for (const other of this.#active) {
      if (other === scope || !other.candidate.manifest.requires?.some((service) => provided.has(service)))
        continue;
      dependents.push(other);
      for (const service of other.candidate.manifest.provides ?? []) provided.add(service);
    }
    return dependents;
  }

  async #dispose(scopes: readonly PluginScope[]): Promise<void> {
    for (const scope of [...this.#active].reverse()) {
      if (!scopes.includes(scope)) continue;
      await scope.dispose(this.#timeouts.dispose);
      this.#active = this.#active.filter((other) => other !== scope);
    }
  }
}

const tooSlow = (what: string, ms: number) => `${what} did not finish within ${ms} ms`;

/** As a promise even if the hook throws synchronously. */
const callHook = async (hook: () => void | Promise<void>) => hook();

function problemOf(scope: PluginScope, step: PluginStep, error: unknown): PluginProblem {
  const plugin = scope.candidate.manifest.name;
  // Errors of the context name the plugin and the mistake already.
  if (error instanceof WoprError && error.code.startsWith('plugin_'))
    return { plugin, step, code: error.code, message: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  return {
    plugin,
    step,
    code: 'plugin_activation_failed',
    message: `${scope.title} failed in step "${step}": ${reason}.`,
  };
}
