/** Settings of the plugin, as its config schema fills them. */
export interface NatsConfig {
  /** One server, or several of a cluster separated by commas. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Path of a credentials file (JWT and seed). */
  readonly credentialsFile?: string;
  readonly prefix: string;
  readonly queue: string;
  /** Invocations executed at once by one worker. */
  readonly concurrency: number;
  /** Invocations in the queue, executing ones included, before new ones are refused. */
  readonly maxPending: number;
  /** Silence after which a worker counts as dead and its invocation is delivered to another. */
  readonly ackWaitMs: number;
  /** Deliveries before an invocation counts as one that kills workers. */
  readonly maxDeliver: number;
  /** Time a worker keeps an outcome that no host takes. */
  readonly holdMs: number;
}
