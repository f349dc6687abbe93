/** Claims: which instance may execute a run. The run names its owner; one lease row per instance says until when that is trusted. */
import type { Logger } from 'pino';
import type { Database, WriteTx } from './database.types.ts';
import type { ForeignChanges } from './foreign-changes.ts';
import type { LogStatements } from './statements.ts';
import type { Claims } from './types.ts';

/** Leases that ended this long ago are forgotten once no run refers to them. */
const FORGET_LEASES_AFTER_MS = 3_600_000;

export interface ClaimsOptions {
  readonly database: Database;
  readonly statements: LogStatements;
  readonly foreignChanges: ForeignChanges;
  readonly instanceId: string;
  readonly claimTtlMs: number;
  readonly heartbeatIntervalMs: number;
  readonly logger: Logger;
  readonly now: () => number;
}

export class SqliteClaims implements Claims {
  readonly instanceId: string;
  readonly #options: ClaimsOptions;
  readonly #db: Database;
  readonly #sql: LogStatements;
  readonly #startedAt: number;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: ClaimsOptions) {
    this.instanceId = options.instanceId;
    this.#options = options;
    this.#db = options.database;
    this.#sql = options.statements;
    this.#startedAt = options.now();
  }

  claim(runId: string): Promise<{ readonly taken: boolean; readonly from: string | null }> {
    return this.#db.write((tx) => {
      const from = tx.get<{ owner: string | null }>(this.#sql.owner, [runId])?.owner ?? null;
      const { changes } = tx.run(this.#sql.takeRun, [
        this.instanceId,
        runId,
        this.instanceId,
        this.#options.now(),
      ]);
      return { taken: changes === 1, from };
    });
  }

  due(now: number, limit: number): string[] {
    return this.#ids(this.#sql.dueRuns, [now, limit]);
  }

  nextWake(): number | undefined {
    return this.#db.get<{ wake_at: number }>(this.#sql.nextWake, [])?.wake_at;
  }

  /** A run that waits or is paused, unowned and without timer, is parked, not stale: only a signal makes it so. */
  stale(now: number, limit: number): string[] {
    const runs = new Set(this.#ids(this.#sql.orphanedRuns, [this.instanceId, now, limit]));
    for (const statement of [this.#sql.strandedRuns, this.#sql.unownedSignalled]) {
      if (runs.size >= limit) break;
      for (const runId of this.#ids(statement, [limit])) runs.add(runId);
    }
    return [...runs].slice(0, limit);
  }

  signalled(limit: number): string[] {
    return this.#ids(this.#sql.ownedSignalled, [this.instanceId, limit]);
  }

  leaseExpiry(runId: string): number | undefined {
    return this.#db.get<{ expires_at: number }>(this.#sql.leaseExpiry, [runId])?.expires_at;
  }

  onForeignChange(listener: () => void): () => void {
    return this.#options.foreignChanges.listen(listener);
  }

  async start(): Promise<void> {
    await this.#db.write((tx) => {
      this.#renew(tx);
      tx.run(this.#sql.forgetLeases, [this.#options.now() - FORGET_LEASES_AFTER_MS]);
    });
    const { heartbeatIntervalMs, logger } = this.#options;
    this.#heartbeat = setInterval(() => {
      this.#db
        .write((tx) => this.#renew(tx))
        .catch((error: unknown) =>
          logger.error({ err: error }, 'heartbeat failed; trying again at the next'),
        );
    }, heartbeatIntervalMs).unref();
  }

  /** The runs become due at once, so that another instance continues them without waiting for a lease to expire. */
  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#db.write((tx) => {
      tx.run(this.#sql.releaseAll, [this.#options.now(), this.instanceId]);
      tx.run(this.#sql.endLease, [this.instanceId]);
    });
  }

  #renew(tx: WriteTx): void {
    const expiresAt = this.#options.now() + this.#options.claimTtlMs;
    tx.run(this.#sql.renewLease, [this.instanceId, expiresAt, this.#startedAt]);
  }

  #ids(statement: { readonly sql: string }, parameters: readonly unknown[]): string[] {
    return this.#db.all<{ run_id: string }>(statement, parameters).map((row) => row.run_id);
  }
}
