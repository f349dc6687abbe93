/** The contract of the event log: run records, events, append, read, follow, claims, signals. */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import type { RunStatus } from '../../schemas/run-snapshot.ts';

export type { RunEventDoc, RunStatus };

export interface RunOptions {
  readonly configurable?: JsonObject;
  readonly tags?: readonly string[];
  readonly metadata?: JsonObject;
  readonly callbackUrl?: string;
}

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** What is fixed when a run is created. */
export interface RunHeader {
  readonly runId: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  /** Digest of the exact definition the run executes; frozen for its whole life. */
  readonly definitionDigest: string;
  readonly scopeId: string | null;
  /** Stamp of events and snapshot; differs from the host's only for `X-Force-Engine-Version` runs. */
  readonly engineVersion: number;
  readonly eventLogSchemaVersion: number;
  readonly inputs: JsonObject;
  readonly options: RunOptions;
  /** Created with a test key (HTTP §7.3). */
  readonly test: boolean;
  readonly createdAt: string;
}

/** The projection that changes in the same transaction as the events. */
export interface RunProjection {
  readonly status: RunStatus;
  readonly currentNodeId: string | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly error: RunError | null;
  /** Epoch ms at which a parked run wants to be woken; null when nothing is timed. */
  readonly wakeAt: number | null;
}

export interface RunRecord extends RunHeader, RunProjection {
  readonly nextSequence: number;
  /** Instance that may append, or null when parked or terminal. */
  readonly owner: string | null;
}

/** An event ready to be stored: complete, with its sequence. `secret` is the unmasked payload when `doc.payload` is masked. */
export interface LogEntry {
  readonly doc: RunEventDoc;
  readonly secret?: JsonValue;
}

/** Folded engine state up to (excluding) `sequence`, stored so that readers and recovery need not fold from zero. */
export interface Checkpoint {
  readonly sequence: number;
  readonly state: JsonValue;
}

export interface AppendRequest {
  readonly runId: string;
  /** Contiguous; the first must equal the stored nextSequence, else `claim_lost` and nothing is written. May be empty. */
  readonly entries: readonly LogEntry[];
  readonly projection: RunProjection;
  readonly checkpoint?: Checkpoint;
  /** Give the claim up in the same transaction (parked or terminal). */
  readonly release?: boolean;
  /** Signals consumed by these events; deleted in the same transaction. */
  readonly consumedSignals?: readonly number[];
}

export interface CreateRunRequest extends AppendRequest {
  readonly header: RunHeader;
  /** `X-Dedup: enforce`: at most one active run per (tenantId, scopeId), else `run_already_active`. */
  readonly dedup?: boolean;
}

/** A durable message to a run (cancel, later: interrupt answers), consumed by whoever holds its claim. */
export interface Signal {
  readonly signalId: number;
  readonly runId: string;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly createdAt: string;
}

export interface RunFilter {
  /** Undefined = every tenant (operator tools only). */
  readonly tenantId?: string;
  readonly status?: readonly RunStatus[];
  readonly workflowId?: string;
  readonly tag?: string;
  /** Newest first; exclusive cursor as returned by the previous page. */
  readonly before?: string;
  /** 1..200, default 50. */
  readonly limit?: number;
}

export interface EventLog {
  /** Inserts the run and its first events in one transaction, owned by this instance unless `release`. Resolves after the commit. */
  createRun(request: CreateRunRequest): Promise<void>;
  /** Appends under this instance's claim. Resolves after the commit; rejects with `claim_lost` when the claim or sequence moved. */
  append(request: AppendRequest): Promise<void>;

  run(runId: string): RunRecord | undefined;
  runs(filter: RunFilter): RunRecord[];
  checkpoint(runId: string): Checkpoint | undefined;
  /** Events in order from `fromSequence` (inclusive), at most `limit` (default 100, at most 1000). */
  read(runId: string, fromSequence?: number, limit?: number): RunEventDoc[];
  /** As `read`, with the unmasked payloads; for the engine only. */
  readEntries(runId: string, fromSequence?: number, limit?: number): LogEntry[];
  latest(runId: string): RunEventDoc | undefined;
  /**
   * Backlog from `fromSequence` (inclusive), then live, in batches, without gap or repeat; also sees events committed by other
   * processes on the same store. Ends after the terminal event or when `signal` aborts. Holds no unbounded buffer: a slow reader
   * re-reads from the log.
   */
  follow(runId: string, fromSequence: number, signal: AbortSignal): AsyncIterable<readonly RunEventDoc[]>;
  /** Calls back after each commit with the committed events of one run, in order. Must not throw. */
  tap(listener: (runId: string, events: readonly RunEventDoc[]) => void): () => void;

  /** Stores a signal durably. Resolves with its id after the commit. */
  signal(runId: string, kind: string, payload: JsonObject): Promise<number>;
  signals(runId: string): Signal[];
}

/** Right of one process to execute a run (runs and events §13). The expiry is stored once per instance, not per run. */
export interface Claims {
  readonly instanceId: string;
  /** Atomic compare-and-set: takes the run if unowned, already ours, or owned by an expired instance, and not terminal. */
  claim(runId: string): Promise<{ readonly taken: boolean; readonly from: string | null }>;
  /** Runs that are due: wakeAt <= now, unowned, non-terminal; oldest first. */
  due(now: number, limit: number): string[];
  /** Earliest wakeAt of unowned non-terminal runs. */
  nextWake(): number | undefined;
  /** Non-terminal runs whose owner's lease has expired, or that are unowned with no timer to wake them, or that are unowned and have signals. */
  stale(now: number, limit: number): string[];
  /** Runs owned by this instance that have unread signals. */
  signalled(limit: number): string[];
  /** Epoch ms until which the owner of the run is trusted, if any. */
  leaseExpiry(runId: string): number | undefined;
  /** Called when another process changed the store (polled); also fires for foreign signals and timers. */
  onForeignChange(listener: () => void): () => void;
  /** Starts the heartbeat. */
  start(): Promise<void>;
  /** Releases every run and the lease. */
  stop(): Promise<void>;
}
