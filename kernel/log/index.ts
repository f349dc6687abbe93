/** The event log and its store: what happened in every run, who may continue it, and the tables of plugins, in one SQLite file. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Checkpointer } from './checkpointer.ts';
import { SqliteClaims } from './claims.ts';
import { SqliteDatabase } from './database.ts';
import type { Database } from './database.types.ts';
import { SqliteEventLog } from './event-log.ts';
import { ForeignChanges } from './foreign-changes.ts';
import { Retention } from './retention.ts';
import { openConnection } from './sqlite.ts';
import { compileStatements } from './statements.ts';
import { LOG_MIGRATIONS } from './tables.ts';
import type { Claims, RunEventDoc } from './types.ts';
import { WalSync } from './wal-sync.ts';

export type * from './database.types.ts';
export { checkIntegrity, type IntegrityFinding } from './integrity.ts';
export type { ExpiredRun, Retention } from './retention.ts';
export { eventIdOf } from './rows.ts';
export type * from './types.ts';
export type { SqliteEventLog };

export interface StoreOptions {
  /** File of the store; created when missing. Its folder must exist. */
  readonly path: string;
  /** `FULL` survives power loss; `NORMAL` may then lose the newest commits, not a crash of the process. Default `FULL`. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** Unique per process start, since a lease outlives a crash. Default: random. */
  readonly instanceId?: string;
  /** Default 10,000. */
  readonly claimTtlMs?: number;
  /** Default 2,500. */
  readonly heartbeatIntervalMs?: number;
  /** Write jobs that may wait for a commit. Default 10,000. */
  readonly maxQueued?: number;
  /** Problems of an event, or null: `checkEvent` of `schemas/`, in development and tests. */
  readonly checkEvents?: (doc: RunEventDoc) => readonly unknown[] | null;
  readonly logger: Logger;
  /** Epoch ms. Default `Date.now`. */
  readonly now?: () => number;
}

export interface Store {
  readonly database: Database;
  readonly log: SqliteEventLog;
  readonly claims: Claims;
  readonly retention: Retention;
  /** Commits what is queued and closes the file. Call `claims.stop()` before it for others to continue the runs at once. */
  close(): Promise<void>;
}

/**
 * Opens the store and brings its tables up to date. Throws `store_newer`, `store_corrupt` or `service_unavailable`. Several processes
 * may open the same file on one machine.
 */
export function openStore(options: StoreOptions): Store {
  const {
    logger,
    now = Date.now,
    instanceId = randomUUID(),
    claimTtlMs = 10_000,
    heartbeatIntervalMs = 2_500,
  } = options;
  const connection = openConnection(options.path);
  const { maxQueued, checkEvents } = options;
  const checkpointer = new Checkpointer(connection, options.path, logger);
  const database = new SqliteDatabase(connection, {
    ...(maxQueued !== undefined && { maxQueued }),
    onFlush: () => checkpointer.afterFlush(),
    ...(options.synchronous !== 'NORMAL' && { sync: new WalSync(options.path) }),
  });
  try {
    database.migrate('log', LOG_MIGRATIONS);
  } catch (error) {
    connection.close();
    throw error;
  }
  const statements = compileStatements(database.kysely);
  const foreignChanges = new ForeignChanges(database, logger);
  const close = async (): Promise<void> => {
    foreignChanges.stop();
    database.close();
    await checkpointer.close();
    connection.close();
  };
  let closed: Promise<void> | undefined;
  const shared = { database, statements, instanceId, claimTtlMs, logger, now };
  const log = new SqliteEventLog({ ...shared, ...(checkEvents && { checkEvents }) });
  foreignChanges.listen(() => log.wakeFollowers());
  return {
    database,
    log,
    claims: new SqliteClaims({ ...shared, foreignChanges, heartbeatIntervalMs }),
    retention: new Retention(database, statements, logger, now),
    close() {
      closed ??= close();
      return closed;
    },
  };
}
