/** What the commands need from a host, whether it is another process reached over HTTP or one started in this process. */
import type { JsonObject } from '../../../schemas/json.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { RunSnapshot } from '../../../schemas/run-snapshot.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';

export interface Registered {
  readonly workflowId: string;
  readonly version: string;
  readonly digest: string;
  /** False when this very definition was known already. */
  readonly created: boolean;
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
}

export interface StartRun {
  readonly workflowId: string;
  readonly inputs: JsonObject;
  readonly configurable?: JsonObject;
  readonly tags?: readonly string[];
  readonly metadata?: JsonObject;
}

export interface RunSummary {
  readonly runId: string;
  readonly workflowId: string;
  readonly status: string;
  readonly createdAt: string;
  readonly startedAt?: string | undefined;
  readonly completedAt?: string | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly tags?: readonly string[] | undefined;
}

export interface RunQuery {
  readonly status?: string;
  readonly workflowId?: string;
  readonly tag?: string;
  /** 1..200. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface WorkflowSummary {
  readonly workflowId: string;
  readonly version: string;
  readonly digest: string;
  readonly registeredAt: string;
  readonly name: string;
}

/** What to do while a host cannot be reached in the middle of following a run. */
export interface FollowOptions {
  /** Told when the connection is lost (`true`) and back (`false`). */
  readonly onLost?: (lost: boolean) => void;
  /** How long to try again, in ms. Default 30,000. */
  readonly patienceMs?: number;
}

/** Failures reject with a WoprError or a CommandFailure that carries the host's error code; an unreachable host with exit code 3. */
export interface HostClient {
  /** For people: `http://127.0.0.1:3737`, or the data folder of the host in this process. */
  readonly address: string;
  /** It runs in this process and serves nobody else. */
  readonly isLocal: boolean;
  register(definition: unknown): Promise<Registered>;
  workflows(): Promise<readonly WorkflowSummary[]>;
  /** The newest version, or undefined when the host does not know the workflow. */
  workflow(workflowId: string): Promise<WorkflowDefinition | undefined>;
  createRun(request: StartRun): Promise<{ readonly runId: string; readonly status: string }>;
  snapshot(runId: string): Promise<RunSnapshot>;
  runs(
    query: RunQuery,
  ): Promise<{ readonly runs: readonly RunSummary[]; readonly nextCursor?: string | undefined }>;
  /** Every event stored so far, in order. */
  events(runId: string): AsyncIterable<RunEventDoc>;
  /** Backlog from `fromSequence`, then live, without gap or repeat; ends after the terminal event or when `signal` aborts. */
  follow(
    runId: string,
    fromSequence: number,
    signal: AbortSignal,
    options?: FollowOptions,
  ): AsyncIterable<RunEventDoc>;
  /** Resolves with `cancelling` or the terminal status. */
  cancel(runId: string, reason: string | undefined): Promise<string>;
  close(): Promise<void>;
}
