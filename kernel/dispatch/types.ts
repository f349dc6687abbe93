/** The contract between the engine's driver and whatever executes nodes: one invocation in, one outcome back. */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';

/** How an upstream node reached a joining node; only filled for node types with the trait `joins`. */
export interface UpstreamResult {
  readonly nodeId: string;
  readonly edgeId: string;
  readonly taken: boolean;
  /** Value of the edge's source port; absent when the edge was not taken. */
  readonly value?: JsonValue;
}

/** Everything a node may know. Plain JSON, so it can cross a process boundary unchanged. */
export interface Invocation {
  /** Stable over crash recovery and redelivery: `<runId>:<nodeId>:<execution>:<attempt>`. The de-duplication key. */
  readonly invocationId: string;
  readonly runId: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly nodeId: string;
  readonly typeId: string;
  /** 0-based count of executions of this node in the run (loops execute a node several times). */
  readonly execution: number;
  /** 0-based retry attempt within the execution. */
  readonly attempt: number;
  /** 0-based pass of the innermost loop around the node since it was last entered from outside. */
  readonly iteration: number;
  readonly config: JsonObject;
  /** Resolved port values. */
  readonly inputs: JsonObject;
  /** Run option `configurable`, unmodified. */
  readonly configurable: JsonObject;
  /** Only for node types with the trait `variables`. */
  readonly variables?: JsonObject;
  readonly sources?: readonly UpstreamResult[];
  /** Logical clock: epoch milliseconds of the `node.started` event of this attempt. */
  readonly startedAt: number;
  /** Epoch milliseconds of this dispatch; later than `startedAt` when the invocation slept or was recovered. */
  readonly now: number;
  /** Epoch milliseconds after which the outcome no longer counts; the dispatcher aborts the node. */
  readonly deadline?: number;
}

export interface NodeError {
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
}

export type Outcome =
  /** `variables` are written to the run (event `variable.changed` each). */
  | { readonly kind: 'completed'; readonly outputs: JsonObject; readonly variables?: JsonObject }
  | { readonly kind: 'failed'; readonly error: NodeError; readonly retryable: boolean }
  /** A durable timer: invoke the same attempt again at `until` (epoch ms). Nothing waits in memory. */
  | { readonly kind: 'sleeping'; readonly until: number }
  | { readonly kind: 'capBreached'; readonly cap: string; readonly limit: number; readonly observed: number };

export interface DispatcherStats {
  readonly inFlight: number;
  readonly queued: number;
  /** Most invocations held at once (in flight + queued) before `dispatch` refuses. */
  readonly capacity: number;
}

/**
 * Executes invocations. Implementations pass `kernel/dispatch/contract.ts`.
 *
 * `dispatch` resolves with the outcome; an executor that throws is a `failed` outcome, never a rejection. It rejects only with
 * `service_unavailable` (queue full or stopping; nothing was accepted) or with the abort reason once `signal` is aborted.
 * The same `invocationId` dispatched twice while the first is in flight shares the first one's outcome.
 */
export interface Dispatcher {
  readonly name: string;
  dispatch(invocation: Invocation, signal: AbortSignal): Promise<Outcome>;
  stats(): DispatcherStats;
  /**
   * Takes nothing new, waits up to `graceMs` for running work, then lets go of it: what is still open rejects with
   * `service_unavailable`, since a node cut short by a shutdown has not failed. Work in this process is aborted; remote work goes on, and
   * whoever dispatches the invocation again gets its outcome.
   */
  stop(graceMs: number): Promise<void>;
}

export interface NodeContext {
  /** Aborted when the run is cancelled, the deadline passes or the host stops. */
  readonly signal: AbortSignal;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: JsonObject) => void;
}

/** What a node type promises; decides how the engine and dispatchers treat it. */
export interface NodeType {
  readonly typeId: string;
  readonly description: string;
  /**
   * Pure, synchronous and fast: no I/O, no clock, no randomness. Executed inside the engine's turn, so its start and completion
   * share one commit.
   */
  readonly inline?: boolean;
  /** JSON Schema (2020-12) of `config`, checked when a workflow is registered. */
  readonly configSchema?: JsonObject;
  /** Runtime capabilities that must be provided, checked before the node starts (HTTP §12.5). */
  readonly requires?: readonly string[];
  /** Wants `invocation.sources`. */
  readonly joins?: boolean;
  /** Wants `invocation.variables`. */
  readonly variables?: boolean;
  /** An edge that names a `sourceOutput` this node did not emit is not taken (routing by port). */
  readonly routes?: boolean;
  /** Re-entering this node is bounded by `config.maxIterations`, not by settings.maxLoopbackIterations. */
  readonly loops?: boolean;
  execute(invocation: Invocation, context: NodeContext): Outcome | Promise<Outcome>;
}
