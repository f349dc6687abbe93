/** What plugin authors import: the manifest, the context given to `activate`, and the map of extension points. */
import type { Logger } from 'pino';
import type { JsonObject } from '../../schemas/json.ts';
import type { Dispatcher, NodeType } from '../dispatch/types.ts';
import type { Database } from '../log/database.types.ts';
import type { Claims, EventLog } from '../log/types.ts';
import type { RunService, WorkflowService } from '../runs/types.ts';
import type { Authenticator, Middleware, Route } from './points/http.ts';
import type { EventTap, HealthCheck, Metric } from './points/operations.ts';
import type { StreamMode } from './points/streams.ts';

/** Everything a plugin can contribute. The key is the name used in `contributes` of plugin.json. */
export interface ExtensionPoints {
  /** Id: root key of the discovery document. A function is evaluated whenever the document is built. Values of several plugins are merged. */
  capabilities: JsonObject[string] | (() => JsonObject[string]);
  /** Id: typeId. */
  nodeTypes: NodeType;
  /** Id: `METHOD /path`. */
  routes: Route;
  /** Id: name. */
  middleware: Middleware;
  /** Id: name. */
  auth: Authenticator;
  /** Id: mode name. */
  streamModes: StreamMode;
  /** Id: name; chosen by the config key `dispatch.dispatcher`. */
  dispatchers: DispatcherFactory;
  /** Id: name. */
  healthChecks: HealthCheck;
  /** Id: metric name. */
  metrics: Metric;
  /** Id: name. */
  eventTaps: EventTap;
}
export type ExtensionPoint = keyof ExtensionPoints;

export interface DispatcherFactory {
  /** Called once, after every plugin is active. */
  create(environment: {
    readonly nodeTypes: (typeId: string) => NodeType | undefined;
    readonly logger: Logger;
  }): Promise<Dispatcher>;
}

/** Services by name. Plugins add theirs by declaration merging in their `contract.ts`. */
export interface Services {
  runs: RunService;
  workflows: WorkflowService;
  log: EventLog;
  claims: Claims;
  database: Database;
  host: HostService;
}
export type ServiceName = keyof Services;

/** Facts about the running host. */
export interface HostService {
  readonly version: string;
  readonly instanceId: string;
  readonly dataDir: string;
  /** Ceiling of `recursionLimit`; advertised as limits.maxNodeExecutions. */
  readonly maxNodeExecutions: number;
  /** `starting` until every plugin is active and recovery has begun; `stopping` from the first moment of shutdown. */
  readonly phase: 'starting' | 'ready' | 'stopping';
  readonly plugins: readonly PluginStatus[];
}

export interface PluginStatus {
  readonly name: string;
  readonly version: string;
  readonly state: 'active' | 'degraded' | 'disabled' | 'stopped';
  /** Why it is degraded: step and cause. */
  readonly reason?: string;
}

/** plugin.json. Closed: unknown keys are errors. */
export interface PluginManifest {
  readonly manifestVersion: 1;
  /** `^[a-z][a-z0-9-]*$`, unique in the host. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Semver range of wopr releases (the plugin contract) this plugin works with. */
  readonly kernel: string;
  /** Module that exports `activate`, relative to plugin.json. Absent for plugins that only contribute commands. */
  readonly entry?: string;
  /** A required plugin that fails stops the boot; an optional one (`false`) is reported as degraded. Default true. */
  readonly required?: boolean;
  /** Disabled unless the config enables it. Default true. */
  readonly enabledByDefault?: boolean;
  /** Services it needs (from other plugins or the kernel); also orders activation. */
  readonly requires?: readonly string[];
  /** Services it uses when present. */
  readonly optional?: readonly string[];
  /** Services it provides. */
  readonly provides?: readonly string[];
  readonly contributes?: { readonly [P in ExtensionPoint]?: readonly string[] } & {
    readonly commands?: readonly CommandManifest[];
  };
  /** JSON Schema of this plugin's section of the config; defaults are applied. */
  readonly config?: JsonObject;
}

export interface CommandManifest {
  readonly name: string;
  readonly summary: string;
  /** Heading it is listed under in `wopr --help`. */
  readonly group?: string;
  /** Module that exports `define`, relative to plugin.json; loaded only when the command runs. */
  readonly module: string;
}

/** Undoes one registration. Calling it twice is harmless. */
export type Disposer = () => void | Promise<void>;

/** Given to `activate`; everything a plugin does to the host goes through it, so that stopping the plugin undoes all of it. */
export interface PluginContext<Config = JsonObject> {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly config: Config;
  readonly logger: Logger;
  /** Aborted when the plugin stops. */
  readonly signal: AbortSignal;
  /** A service named in `requires` or `optional`; throws for anything else. `optional` ones may be undefined. */
  service<N extends ServiceName>(name: N): Services[N];
  /** Offers a service named in `provides`. */
  provide<N extends ServiceName>(name: N, implementation: Services[N]): Disposer;
  /** Adds a contribution declared in `contributes[point]`. */
  register<P extends ExtensionPoint>(point: P, id: string, contribution: ExtensionPoints[P]): Disposer;
  /** Active contributions of every plugin, in registration order. Live: read it when needed, do not keep the result. */
  contributions<P extends ExtensionPoint>(point: P): readonly Contribution<P>[];
  /** Calls back after a contribution of this point came or went. */
  onChange(point: ExtensionPoint, listener: () => void): Disposer;
  /** Records any other effect (timer, socket, listener) with its undo. */
  effect(label: string, dispose: Disposer): Disposer;
  /** Runs after every plugin is active, in dependency order (load data, begin background work here). */
  onReady(hook: () => void | Promise<void>): void;
  /** Runs after every `onReady` hook of every plugin and after recovery has begun: open sockets here. */
  onServe(hook: () => void | Promise<void>): void;
  /** Runs first at shutdown, in reverse order, all bounded by the grace period (stop accepting, end streams here). */
  onDrain(hook: () => void | Promise<void>): void;
}

export interface Contribution<P extends ExtensionPoint> {
  readonly id: string;
  readonly plugin: string;
  readonly value: ExtensionPoints[P];
}

/** The module named by `entry`. */
export interface PluginModule<Config = JsonObject> {
  activate(context: PluginContext<Config>): void | Promise<void>;
}
