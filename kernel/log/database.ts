/** The store's write queue: jobs queued in the same tick share one transaction, and nobody hears of success before the commit. */
import type { SQLInputValue } from 'node:sqlite';
import type { CompiledQuery, Kysely } from 'kysely';
import { WoprError } from '../errors.ts';
import type { Database, Migration, Statement, WriteTx } from './database.types.ts';
import { migrate } from './migrate.ts';
import { type Connection, isBusy, isRead, patiently, storeError } from './sqlite.ts';
import type { WalSync } from './wal-sync.ts';

interface Job {
  readonly run: (tx: WriteTx) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Jobs in one transaction: bounds how long a flush holds the event loop and the write lock. */
const MAX_BATCH = 256;

/** So many commits of a single job in a row mean that there is one writer only. */
const ALONE_AFTER = 4;

/** Flush attempts while another process holds the write lock, and the pause between them. */
const BUSY_ATTEMPTS = 20;
const BUSY_PAUSE_MS = 25;

export interface DatabaseOptions {
  /** Jobs that may wait for a commit; beyond it `write` rejects with `service_unavailable`. */
  readonly maxQueued?: number;
  /** Called after each flush, outside any transaction. Must not throw. */
  readonly onFlush?: () => void;
  /** Makes commits durable; without it they survive a crash of the process, not of the machine. */
  readonly sync?: WalSync;
}

export class SqliteDatabase implements Database, WriteTx {
  readonly kysely: Kysely<unknown>;
  readonly #connection: Connection;
  readonly #maxQueued: number;
  readonly #onFlush: () => void;
  readonly #sync: WalSync | undefined;
  /** Jobs committed and not yet acknowledged. */
  #unsynced = 0;
  /** Commits of one job in a row. */
  #single = 0;
  /** A sync failed: what is on disk is unknown, and trying again could hide it. */
  #failure: unknown;
  #queue: Job[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #pause: NodeJS.Timeout | undefined;
  #attempts = 0;
  #closed = false;
  #dirty = false;

  constructor(connection: Connection, options: DatabaseOptions = {}) {
    this.#connection = connection;
    this.kysely = connection.kysely;
    this.#maxQueued = options.maxQueued ?? 10_000;
    this.#onFlush = options.onFlush ?? (() => {});
    this.#sync = options.sync;
  }

  write<T>(job: (tx: WriteTx) => T): Promise<T> {
    if (this.#closed)
      return Promise.reject(
        new WoprError('service_unavailable', 'The store is closed.', { retryAfterSeconds: 1 }),
      );
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#queue.length + this.#unsynced >= this.#maxQueued)
      return Promise.reject(
        new WoprError('service_unavailable', 'The write queue is full.', { retryAfterSeconds: 1 }),
      );
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: job, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  run(
    query: CompiledQuery | Statement,
    parameters?: readonly unknown[],
  ): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.#connection
      .prepare(query.sql)
      .run(...valuesOf(query, parameters));
    if (changes !== 0) this.#dirty = true;
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  all<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row[] {
    this.#noteReturning(query);
    return this.#connection.prepare(query.sql).all(...valuesOf(query, parameters)) as Row[];
  }

  get<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row | undefined {
    this.#noteReturning(query);
    return this.#connection.prepare(query.sql).get(...valuesOf(query, parameters)) as Row | undefined;
  }

  migrate(owner: string, migrations: readonly Migration[]): void {
    patiently(() => migrate(this.#connection.db, owner, migrations));
  }

  /** Commits what is queued, then refuses further writes. The connection stays open for the caller to close. */
  close(): void {
    while (this.#queue.length > 0) this.#flush(true);
    this.#sync?.close();
    this.#closed = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#pause);
  }

  #noteReturning(query: Statement): void {
    if (!this.#dirty && !isRead(query.sql)) this.#dirty = true;
  }

  #schedule(): void {
    // While the disk works on one commit the next one gathers: nothing would be acknowledged earlier, and the fewer the cheaper.
    if (this.#immediate !== undefined || this.#pause !== undefined || this.#unsynced > 0) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#flush(false);
    });
  }

  #flush(last: boolean): void {
    const jobs = this.#queue.splice(0, MAX_BATCH);
    let outcomes: Outcome[];
    try {
      outcomes = this.#transact(jobs) ?? jobs.map((job) => this.#alone(job));
      this.#attempts = 0;
    } catch (error) {
      if (isBusy(error) && !last && ++this.#attempts < BUSY_ATTEMPTS) {
        this.#queue.unshift(...jobs);
        this.#pause = setTimeout(() => {
          this.#pause = undefined;
          this.#flush(false);
        }, BUSY_PAUSE_MS);
        return;
      }
      this.#attempts = 0;
      outcomes = jobs.map(() => ({ error: storeError(error) }));
    }
    this.#acknowledge(jobs, outcomes);
    if (this.#queue.length > 0 && !last) this.#schedule();
    this.#onFlush();
  }

  /** Failures are told at once, successes when they are on disk. */
  #acknowledge(jobs: readonly Job[], outcomes: readonly Outcome[]): void {
    const committed: [job: Job, value: unknown][] = [];
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index] as Outcome;
      if ('error' in outcome) job.reject(outcome.error);
      else committed.push([job, outcome.value]);
    }
    const resolve = () => {
      for (const [job, value] of committed) job.resolve(value);
    };
    if (this.#sync === undefined || committed.length === 0) return resolve();
    this.#unsynced = committed.length;
    this.#sync.after((cause) => {
      this.#unsynced = 0;
      if (this.#queue.length > 0) this.#schedule();
      if (cause === null) return resolve();
      this.#failure = new WoprError('store_corrupt', 'The disk did not confirm a write.', { cause });
      for (const [job] of committed) job.reject(this.#failure);
    }, this.#isAlone(committed.length));
  }

  /** Whether one writer at a time is at work, so that nobody would use the time while the disk works. */
  #isAlone(committed: number): boolean {
    this.#single = committed === 1 ? this.#single + 1 : 0;
    return this.#single > ALONE_AFTER;
  }

  /**
   * Runs the jobs in one transaction. A job that throws before it changed anything fails alone. When one throws after a change,
   * everything is rolled back and undefined returned: the jobs must then run one by one. Throws when the transaction itself fails.
   */
  #transact(jobs: readonly Job[]): Outcome[] | undefined {
    const { db } = this.#connection;
    this.#connection.prepare('BEGIN IMMEDIATE').run();
    try {
      const outcomes: Outcome[] = [];
      for (const job of jobs) {
        this.#dirty = false;
        try {
          outcomes.push({ value: job.run(this) });
        } catch (error) {
          if (this.#dirty || !db.isTransaction) {
            if (jobs.length > 1) return undefined;
            return [{ error: storeError(error) }];
          }
          outcomes.push({ error: storeError(error) });
        }
      }
      this.#connection.prepare('COMMIT').run();
      return outcomes;
    } finally {
      // Some errors (disk full, I/O) make SQLite roll back by itself.
      if (db.isTransaction) this.#connection.prepare('ROLLBACK').run();
    }
  }

  #alone(job: Job): Outcome {
    try {
      return this.#transact([job])?.[0] as Outcome;
    } catch (error) {
      return { error: storeError(error) };
    }
  }
}

function valuesOf(
  query: CompiledQuery | Statement,
  parameters: readonly unknown[] | undefined,
): SQLInputValue[] {
  return (parameters ?? ('parameters' in query ? query.parameters : [])) as SQLInputValue[];
}
