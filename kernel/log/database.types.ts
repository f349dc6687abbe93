/** The store as plugins see it: Kysely for queries, one group-committed write queue, migrations per owner. */
import type { CompiledQuery, Kysely } from 'kysely';

/** Synchronous access inside a write transaction. */
export interface WriteTx {
  /** Runs a compiled statement from the cache; returns changed rows and last row id. */
  run(
    query: CompiledQuery | Statement,
    parameters?: readonly unknown[],
  ): { changes: number; lastInsertRowid: number };
  all<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row[];
  get<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row | undefined;
}

/** A statement compiled once (hot path); its parameters are given per call. */
export interface Statement {
  readonly sql: string;
}

export interface Migration {
  /** Unique and ordered within its owner, e.g. `001-keys`. Never edited once released. */
  readonly name: string;
  readonly up: string[];
}

export interface Database {
  /** For building and compiling queries, and for reads off the hot path. Table types are the caller's. */
  readonly kysely: Kysely<unknown>;
  /**
   * Queues `job` into the next group commit; resolves with its result after the commit, rejects with what it threw (its changes, and
   * only its changes, rolled back). The job is synchronous, may be executed twice (after a neighbour's failure) and must have no other effects.
   */
  write<T>(job: (tx: WriteTx) => T): Promise<T>;
  all<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row[];
  get<Row>(query: CompiledQuery | Statement, parameters?: readonly unknown[]): Row | undefined;
  /** Applies the owner's pending migrations; refuses with `store_newer` when the store has ones this build does not know. */
  migrate(owner: string, migrations: readonly Migration[]): void;
}
