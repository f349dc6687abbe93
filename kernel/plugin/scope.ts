/** The scope of one running plugin: its context, what it has registered and provided, its hooks, and how to undo all of it. */
import type { Logger } from 'pino';
import { WoprError } from '../errors.ts';
import { Effects } from './effects.ts';
import type { Extensions } from './extensions.ts';
import { EXTENSION_POINTS, POINT_RULES } from './points/rules.ts';
import type { Disposer, ExtensionPoint, PluginContext, ServiceName, Services } from './types.ts';
import type { Candidate } from './validate.ts';

/** What all plugins of a host share. */
export interface Shared {
  readonly extensions: Extensions;
  readonly services: Map<ServiceName, unknown>;
  readonly logger: Logger;
}

export type Hook = () => void | Promise<void>;

export class PluginScope {
  readonly candidate: Candidate;
  readonly readyHooks: Hook[] = [];
  readonly serveHooks: Hook[] = [];
  readonly drainHooks: Hook[] = [];
  readonly context: PluginContext;
  readonly #shared: Shared;
  readonly #logger: Logger;
  readonly #effects = new Effects();
  readonly #stopped = new AbortController();
  /** What the manifest declares and activate has not registered. */
  readonly #pending: Set<string>;

  constructor(candidate: Candidate, shared: Shared) {
    this.candidate = candidate;
    this.#shared = shared;
    this.#logger = shared.logger.child({ plugin: candidate.manifest.name });
    const { contributes = {}, provides = [] } = candidate.manifest;
    const ids = EXTENSION_POINTS.flatMap((point) =>
      (contributes[point] ?? []).map((id) => describe(point, id)),
    );
    this.#pending = new Set([...ids, ...provides.map((service) => `service "${service}"`)]);
    this.context = this.#createContext();
  }

  /** For messages: name and the path of the manifest. */
  get title(): string {
    return `Plugin "${this.candidate.manifest.name}" (${this.candidate.file.path})`;
  }

  /** Labels of all effects in force. */
  effects(): string[] {
    return this.#effects.list();
  }

  /** Throws `plugin_registration_missing` when something declared was not registered. */
  assertComplete(): void {
    if (this.#pending.size === 0) return;
    const message = `${this.title} did not register what its plugin.json declares: ${[...this.#pending].join(', ')}.`;
    throw new WoprError('plugin_registration_missing', message);
  }

  /** Aborts the plugin's signal and undoes its effects, newest first. What goes wrong is logged. */
  async dispose(timeoutMs: number): Promise<void> {
    this.#stopped.abort(new Error(`plugin "${this.candidate.manifest.name}" was stopped`));
    await this.#effects.dispose(timeoutMs, (effect, err) =>
      this.#logger.error({ err, effect }, 'undoing an effect failed'),
    );
  }

  #createContext(): PluginContext {
    const { extensions, services } = this.#shared;
    const { name, version, requires = [], optional = [] } = this.candidate.manifest;
    return {
      plugin: { name, version },
      config: this.candidate.config,
      logger: this.#logger,
      signal: this.#stopped.signal,
      service: <N extends ServiceName>(service: N) => {
        if (!requires.includes(service) && !optional.includes(service)) {
          const message = `${this.title} uses the service "${service}", which its plugin.json names neither in requires nor in optional.`;
          throw new WoprError('plugin_requirement_missing', message);
        }
        if (requires.includes(service) && !services.has(service)) {
          throw new WoprError(
            'plugin_requirement_missing',
            `The service "${service}" of ${this.title} has been stopped.`,
          );
        }
        return services.get(service) as Services[N];
      },
      provide: (service, implementation) => {
        this.#declared(
          `service "${service}"`,
          'provides',
          this.candidate.manifest.provides?.includes(service),
        );
        if (services.has(service)) {
          throw new WoprError(
            'plugin_duplicate',
            `${this.title} provides the service "${service}" a second time.`,
          );
        }
        services.set(service, implementation);
        return this.#add(`service "${service}"`, () => void services.delete(service));
      },
      register: (point, id, value) => {
        const label = describe(point, id);
        this.#declared(
          label,
          `contributes.${point}`,
          this.candidate.manifest.contributes?.[point]?.includes(id),
        );
        const own = POINT_RULES[point].idOf?.(value);
        if (own !== undefined && own !== id) {
          const message = `${this.title} registers the ${label}, but what it registers calls itself "${own}".`;
          throw new WoprError('plugin_registration_undeclared', message);
        }
        return this.#add(label, extensions.add(point, { id, plugin: name, value }));
      },
      contributions: (point) => extensions.list(point),
      onChange: (point, listener) => {
        this.#assertRunning(`listener for ${point}`);
        return this.#add(`listener for ${point}`, extensions.onChange(point, listener));
      },
      effect: (label, dispose) => {
        if (this.#stopped.signal.aborted) {
          // Too late to be recorded: undo it now rather than leak it.
          this.#add(label, dispose)().catch((err) =>
            this.#logger.error({ err, effect: label }, 'undoing an effect failed'),
          );
        }
        this.#assertRunning(label);
        return this.#add(label, dispose);
      },
      onReady: (hook) => void this.readyHooks.push(hook),
      onServe: (hook) => void this.serveHooks.push(hook),
      onDrain: (hook) => void this.drainHooks.push(hook),
    };
  }

  #declared(label: string, place: string, declared: boolean | undefined): void {
    this.#assertRunning(label);
    if (declared) return;
    const message = `${this.title} registers the ${label}, which its plugin.json does not declare in ${place}.`;
    throw new WoprError('plugin_registration_undeclared', message);
  }

  #assertRunning(label: string): void {
    if (!this.#stopped.signal.aborted) return;
    throw new WoprError(
      'plugin_activation_failed',
      `${this.title} was stopped and can no longer add: ${label}.`,
    );
  }

  #add(label: string, dispose: Disposer): () => Promise<void> {
    this.#pending.delete(label);
    return this.#effects.add(label, dispose);
  }
}

const describe = (point: ExtensionPoint, id: string) => `${POINT_RULES[point].noun} "${id}"`;
