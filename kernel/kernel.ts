/** The kernel: event log, engine, dispatch and plugins, started and stopped in order. */
import { mkdirSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ResolvedConfig } from './config.ts';
import { createLocalDispatcher } from './dispatch/local.ts';
import type { Dispatcher, NodeType } from './dispatch/types.ts';
import { WoprError } from './errors.ts';
import { openStore, type Store } from './log/index.ts';
import type { Extensions } from './plugin/extensions.ts';
import { PluginHost, planPlugins } from './plugin/index.ts';
import type { HostService, PluginManifest, PluginStatus, ServiceName, Services } from './plugin/types.ts';
import { Scheduler } from './runs/scheduler.ts';
import { Runs } from './runs/service.ts';
import { Workflows } from './runs/workflows.ts';
import { WOPR_VERSION } from './version.ts';

/**
 * `host`: everything. `worker`: node types only, executes what a dispatcher brings. `tool`: plugins and store, but takes over no runs and
 * serves nothing. `embedded`: executes runs, serves nothing.
 */
export type KernelRole = 'host' | 'worker' | 'tool' | 'embedded';

export interface KernelOptions {
  readonly resolved: ResolvedConfig;
  readonly logger: Logger;
  /** Folder of the plugins that ship with wopr. */
  readonly builtInPlugins: string;
  /** Default `host`. */
  readonly role?: KernelRole;
  /** Epoch ms; for tests. */
  readonly now?: () => number;
}

export interface Kernel {
  readonly role: KernelRole;
  readonly services: Pick<Services, 'runs' | 'workflows' | 'log' | 'claims' | 'database' | 'host'>;
  readonly extensions: Extensions;
  /** A service of the kernel or of an active plugin. */
  service<N extends ServiceName>(name: N): Services[N] | undefined;
  readonly plugins: { status(): PluginStatus[]; stop(name: string): Promise<void>; effects(): string[] };
  /** Activates plugins, opens what they serve, takes over waiting runs. Errors: `plugin_*`. After a failure nothing is left running. */
  start(): Promise<void>;
  /** Readiness off, drain, release claims, close the store. Calling it again waits for the first. */
  stop(): Promise<void>;
}

/** Built-in plugins that only matter where something is served. */
const SERVED_POINTS = ['routes', 'middleware', 'auth', 'streamModes'] as const;

/** Opens the store and plans the plugins; nothing runs before `start`. Errors: `store_newer`, `config_invalid`. */
export async function createKernel(options: KernelOptions): Promise<Kernel> {
  const { resolved, logger, role = 'host', now = Date.now } = options;
  const { config } = resolved;
  mkdirSync(config.dataDir, { recursive: true });
  const store = openStore({
    path: config.store.path,
    synchronous: config.store.synchronous === 'full' ? 'FULL' : 'NORMAL',
    claimTtlMs: config.claims.ttlMs,
    heartbeatIntervalMs: config.claims.heartbeatIntervalMs,
    ...(config.development ? { checkEvents: (await import('../schemas/validators.ts')).checkEvent } : {}),
    logger,
    now,
  });
  try {
    return new Host(options, store, role, now);
  } catch (error) {
    await store.close();
    throw error;
  }
}

class Host implements Kernel {
  readonly role: KernelRole;
  readonly services: Kernel['services'];
  readonly plugins: PluginHost;
  readonly #options: KernelOptions;
  readonly #store: Store;
  readonly #runs: Runs;
  readonly #workflows: Workflows;
  readonly #scheduler: Scheduler;
  #dispatcher: Dispatcher | undefined;
  #phase: HostService['phase'] = 'starting';
  #cleanUp: (() => void)[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: KernelOptions, store: Store, role: KernelRole, now: () => number) {
    const { resolved, logger } = options;
    const { config } = resolved;
    this.#options = options;
    this.#store = store;
    this.role = role;
    this.#workflows = new Workflows(store.database, () => ({
      nodeType: (typeId) => this.#nodeType(typeId),
      nodeTypeIds: () => this.extensions.list('nodeTypes').map(({ id }) => id),
      capabilities: this.#runtimeCapabilities(),
    }));
    this.#runs = new Runs({
      log: store.log,
      expired: (runId) => store.retention.expired(runId),
      claims: store.claims,
      workflows: this.#workflows,
      dispatcher: () => this.#activeDispatcher(),
      logger,
      now,
      maxLiveRuns: config.engine.maxLiveRuns,
      maxNodeExecutions: config.engine.maxNodeExecutions,
      inline: config.engine.inline,
      onWake: (at) => this.#scheduler.wakeAt(at),
    });
    this.#scheduler = new Scheduler({
      claims: store.claims,
      runs: this.#runs,
      logger,
      now,
      recoveryIntervalMs: Math.max(50, Math.floor(config.claims.ttlMs / 4)),
    });
    this.services = {
      runs: this.#runs,
      workflows: this.#workflows,
      log: store.log,
      claims: store.claims,
      database: store.database,
      host: this.#hostService(),
    };
    this.plugins = new PluginHost({
      plan: planPlugins({
        resolved,
        builtin: options.builtInPlugins,
        kernelVersion: WOPR_VERSION,
        services: Object.keys(this.services) as ServiceName[],
        select: (manifest) => role === 'host' || !isServed(manifest),
      }),
      services: this.services,
      logger,
    });
  }

  get extensions(): Extensions {
    return this.plugins.extensions;
  }

  service<N extends ServiceName>(name: N): Services[N] | undefined {
    return this.plugins.service(name);
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const executes = this.role === 'host' || this.role === 'embedded';
    await this.plugins.load();
    for (const point of ['nodeTypes', 'capabilities'] as const)
      this.#cleanUp.push(this.extensions.onChange(point, () => this.#workflows.forgetPlans()));
    this.#cleanUp.push(
      this.#store.log.tap((runId, events) => {
        for (const { value } of this.extensions.list('eventTaps')) value.observe(runId, events);
      }),
      this.#store.claims.onForeignChange(() => this.#workflows.forgetLookups()),
    );
    if (executes) {
      this.#dispatcher = await this.#createDispatcher();
      await this.#store.claims.start();
    }
    await this.plugins.ready();
    if (executes) {
      await this.#scheduler.start();
      const { retentionDays } = this.#options.resolved.config.store;
      if (retentionDays > 0)
        this.#cleanUp.push(this.#store.retention.start(retentionDays, () => this.#runs.forgetFinished()));
    }
    this.#phase = 'ready';
    await this.plugins.serve();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { shutdownGraceMs } = this.#options.resolved.config;
    this.#phase = 'stopping';
    this.#scheduler.stop();
    await this.plugins.drain(shutdownGraceMs);
    await this.#dispatcher?.stop(shutdownGraceMs);
    this.#runs.stop();
    await this.plugins.stopAll();
    for (const undo of this.#cleanUp.reverse()) undo();
    await this.#store.claims.stop();
    await this.#store.close();
  }

  #nodeType(typeId: string): NodeType | undefined {
    return this.extensions.get('nodeTypes', typeId);
  }

  /** Runtime capabilities nodes may require: what plugins contribute as `runtimeCapabilities` (HTTP §12.5). */
  #runtimeCapabilities(): ReadonlySet<string> {
    const provided = this.extensions
      .list('capabilities')
      .filter(({ id }) => id === 'runtimeCapabilities')
      .map(({ value }) => (typeof value === 'function' ? value() : value));
    return new Set(provided.flatMap((list) => (Array.isArray(list) ? list.map(String) : [])));
  }

  #activeDispatcher(): Dispatcher {
    if (!this.#dispatcher)
      throw new WoprError('service_unavailable', 'This process executes no nodes.', { retryAfterSeconds: 1 });
    return this.#dispatcher;
  }

  async #createDispatcher(): Promise<Dispatcher> {
    const { resolved, logger } = this.#options;
    const { dispatcher: name, concurrency, queueLimit } = resolved.config.dispatch;
    const nodeTypes = (typeId: string) => this.#nodeType(typeId);
    if (name === 'local') return createLocalDispatcher({ nodeTypes, concurrency, queueLimit, logger });
    const factory = this.extensions.get('dispatchers', name);
    if (!factory) {
      const known = ['local', ...this.extensions.list('dispatchers').map(({ id }) => id)].join(', ');
      throw new WoprError(
        'config_invalid',
        `dispatch.dispatcher is "${name}", but no active plugin provides it (available: ${known}).`,
      );
    }
    return factory.create({ nodeTypes, logger });
  }

  #hostService(): HostService {
    const { config } = this.#options.resolved;
    const phase = () => this.#phase;
    const status = () => this.plugins.status();
    return {
      version: WOPR_VERSION,
      instanceId: this.#store.claims.instanceId,
      dataDir: config.dataDir,
      maxNodeExecutions: config.engine.maxNodeExecutions,
      get phase() {
        return phase();
      },
      get plugins() {
        return status();
      },
    };
  }
}

function isServed(manifest: PluginManifest): boolean {
  return (
    SERVED_POINTS.some((point) => (manifest.contributes?.[point]?.length ?? 0) > 0) ||
    manifest.provides?.includes('httpServer') === true
  );
}
