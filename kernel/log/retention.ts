/** Retention: removes runs that ended long ago, and remembers that they existed so that readers can be told `gone`. */
import type { Logger } from 'pino';
import { isTerminalStatus } from '../../schemas/run-status.ts';
import type { Database, WriteTx } from './database.types.ts';
import type { LogStatements } from './statements.ts';
import type { LogTables, RunRow } from './tables.ts';

/** Runs looked at per write job, so that no commit is held up for long. */
const RUNS_PER_JOB = 100;

const PRUNE_INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface ExpiredRun {
  readonly tenantId: string;
  readonly expiredAt: string;
}

type Candidate = Pick<RunRow, 'run_id' | 'tenant_id' | 'status' | 'created_at' | 'completed_at'>;

interface Progress {
  readonly pruned: number;
  /** Last run looked at; undefined when there is none left that could be old enough. */
  readonly cursor: string | undefined;
}

export class Retention {
  readonly #database: Database;
  readonly #sql: LogStatements;
  readonly #logger: Logger;
  readonly #now: () => number;

  constructor(database: Database, statements: LogStatements, logger: Logger, now: () => number) {
    this.#database = database;
    this.#sql = statements;
    this.#logger = logger;
    this.#now = now;
  }

  /** When a run was removed, and whose it was; undefined for runs that exist or never did. Feeds `410 gone` (HTTP §6.3). */
  expired(runId: string): ExpiredRun | undefined {
    const row = this.#database.get<LogTables['expired_runs']>(this.#sql.tombstone, [runId]);
    return row && { tenantId: row.tenant_id, expiredAt: row.expired_at };
  }

  /** Removes terminal runs that completed before `olderThan`, with everything that belongs to them. Returns how many. */
  async prune(olderThan: Date): Promise<number> {
    const limit = olderThan.toISOString();
    let pruned = 0;
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const from: string = cursor;
      const progress: Progress = await this.#database.write((tx) => this.#pruneSome(tx, from, limit));
      pruned += progress.pruned;
      cursor = progress.cursor;
    }
    return pruned;
  }

  /** Prunes now and every hour; tells `onPruned` when runs were removed. Returns how to stop. */
  start(days: number, onPruned: () => void): () => void {
    let running = false;
    const prune = async (): Promise<void> => {
      if (running) return;
      running = true;
      try {
        const pruned = await this.prune(new Date(this.#now() - days * DAY_MS));
        if (pruned > 0) {
          onPruned();
          this.#logger.info({ pruned, days }, 'removed expired runs');
        }
      } catch (error) {
        this.#logger.error({ err: error }, 'removing expired runs failed; trying again later');
      } finally {
        running = false;
      }
    };
    const timer = setInterval(prune, PRUNE_INTERVAL_MS).unref();
    void prune();
    return () => clearInterval(timer);
  }

  /** Run ids are time-ordered: the walk ends at the first run created after the limit. */
  #pruneSome(tx: WriteTx, after: string, limit: string): Progress {
    const candidates = tx.all<Candidate>(this.#sql.candidates, [after, RUNS_PER_JOB]);
    const expiredAt = new Date(this.#now()).toISOString();
    let pruned = 0;
    for (const run of candidates) {
      if (run.created_at >= limit) return { pruned, cursor: undefined };
      if (!isTerminalStatus(run.status) || run.completed_at === null || run.completed_at >= limit) continue;
      tx.run(this.#sql.deleteEvents, [run.run_id]);
      tx.run(this.#sql.deleteRun, [run.run_id]);
      tx.run(this.#sql.putTombstone, [run.run_id, run.tenant_id, expiredAt]);
      pruned += 1;
    }
    return { pruned, cursor: candidates.length < RUNS_PER_JOB ? undefined : candidates.at(-1)?.run_id };
  }
}
