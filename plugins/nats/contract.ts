/** Service `natsWorkers`: what `wopr worker` uses. */
import type { NodeType } from '../../kernel/dispatch/types.ts';

export interface WorkerRequest {
  readonly nodeTypes: (typeId: string) => NodeType | undefined;
  /** Default: the configured queue. */
  readonly queue?: string;
  /** Nodes executed at once. Default: the configured number. */
  readonly concurrency?: number;
}

export interface Worker {
  readonly queue: string;
  readonly concurrency: number;
  stats(): { readonly running: number; readonly done: number; readonly connected: boolean };
  /** Takes nothing new, waits up to `graceMs` for what runs, hands the rest back to the queue and leaves. */
  stop(graceMs: number): Promise<void>;
  /** Settles when the connection is closed: after `stop`, or with an error when the server refuses this client for good. */
  readonly closed: Promise<Error | undefined>;
}

export interface NatsWorkers {
  /** Connects and begins to pull. Errors: `config_invalid` (server unreachable, credentials refused, foreign stream of that name). */
  start(request: WorkerRequest): Promise<Worker>;
}

declare module '../../kernel/plugin/types.ts' {
  interface Services {
    natsWorkers: NatsWorkers;
  }
}
