/** One SQLite connection through `node:sqlite`: opening, cached statements, and the adapter Kysely's dialect needs. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { WoprError } from '../errors.ts';

/** Statements kept prepared; beyond it the oldest is dropped (only ad-hoc queries with varying shapes ever get there). */
const MAX_STATEMENTS = 512;

/** Milliseconds a statement waits, blocking, for a lock another process holds. */
const BUSY_TIMEOUT_MS = 500;

export interface Connection {
  readonly db: DatabaseSync;
  /** The same prepared statement for the same text. */
  prepare(sql: string): StatementSync;
  /** Reads only; see `openKysely`. */
  readonly kysely: Kysely<unknown>;
  close(): void;
}

/** Result codes of SQLite that decide what a failure means (https://www.sqlite.org/rescode.html). */
const BUSY = 5;
const CONSTRAINT = 19;
/** Busy, locked, out of memory, read-only, I/O error, full, cannot open, locking protocol. */
const UNAVAILABLE: ReadonlySet<number> = new Set([BUSY, 6, 7, 8, 10, 13, 14, 15]);
/** Malformed, not a database. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** The primary SQLite result code of an error, or undefined when it did not come from SQLite. */
function resultCode(error: unknown): number | undefined {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

export const isBusy = (error: unknown): boolean => resultCode(error) === BUSY;

export const isConstraintViolation = (error: unknown): boolean => resultCode(error) === CONSTRAINT;

/** How often and how long apart something is tried while another process holds a lock. */
const PATIENCE_TRIES = 50;
const PATIENCE_PAUSE_MS = 100;

/**
 * Tries again while the store is locked. For starting up only, since it blocks: hosts that start at once on one new folder meet in the
 * switch to WAL mode, where SQLite refuses instead of waiting.
 */
export function patiently<T>(work: () => T): T {
  for (let tries = 1; ; tries += 1) {
    try {
      return work();
    } catch (error) {
      const cause = error instanceof WoprError ? error.cause : error;
      if (!isBusy(cause) || tries === PATIENCE_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE_PAUSE_MS);
    }
  }
}

/** Turns a failure of the store itself into `store_corrupt` or `service_unavailable`; other errors are returned as they are. */
export function storeError(error: unknown): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  if (DAMAGED.has(code)) return new WoprError('store_corrupt', 'The store is damaged.', { cause: error });
  if (!UNAVAILABLE.has(code)) return error;
  const message = 'The store cannot be used at the moment.';
  return new WoprError('service_unavailable', message, { retryAfterSeconds: 1, cause: error });
}

/**
 * Opens (creates) the store file in WAL mode. Commits are made durable by `wal-sync.ts`. Checkpoints are not automatic on this
 * connection: copying the WAL into the file inside a commit would stall everything that waits for it, so `checkpointer.ts` does that
 * from its own thread.
 */
export function openConnection(path: string): Connection {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    patiently(() => db.exec('PRAGMA journal_mode = WAL'));
    db.exec(`PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
      PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;`);
  } catch (error) {
    db.close();
    throw storeError(error);
  }
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    const oldest = statements.size >= MAX_STATEMENTS ? statements.keys().next().value : undefined;
    if (oldest !== undefined) statements.delete(oldest);
    statements.set(sql, statement);
    return statement;
  };
  return { db, prepare, kysely: openKysely(prepare), close: () => db.close() };
}

/** Whether a statement only reads. Decided by its first word: `RETURNING` makes writes answer rows too. */
export const isRead = (sql: string): boolean => /^\s*(select|with|pragma|explain)\b/i.test(sql);

/**
 * Kysely over the connection, for reads. Writes (and so transactions) through it are refused: they would run in the middle of, or
 * beside, a group commit.
 */
function openKysely(prepare: (sql: string) => StatementSync): Kysely<unknown> {
  const database = {
    close() {},
    prepare(sql: string) {
      if (!isRead(sql)) throw new Error('Kysely reads the store; changes go through Database.write().');
      const statement = prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: true,
        all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
      };
    },
  };
  return new Kysely({ dialect: new SqliteDialect({ database }) });
}
