/** The durable entries: one row per key, reserved before anything is executed, final once the answer is known (HTTP §8.2, §8.4). */
import type { Database, Migration, Statement, WriteTx } from '../../kernel/log/database.types.ts';
import type { StoredResponse } from './stored-response.ts';

export const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-entries',
    up: [
      // `status` is null until the answer is known; `owner` is null while nobody executes.
      `CREATE TABLE idempotency_entries (
        ordinal INTEGER PRIMARY KEY, cache_key TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, run_id TEXT,
        owner TEXT, attempt INTEGER NOT NULL, lease_until INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        status INTEGER, headers TEXT, form TEXT, body TEXT
      ) STRICT`,
      'CREATE INDEX idempotency_entries_by_expiry ON idempotency_entries (expires_at)',
    ],
  },
];

interface Row {
  readonly digest: string;
  readonly run_id: string | null;
  readonly owner: string | null;
  readonly attempt: number;
  readonly lease_until: number;
  readonly expires_at: number;
  readonly status: number | null;
  readonly headers: string | null;
  readonly form: StoredResponse['form'] | null;
  readonly body: string | null;
}

const TABLE = 'idempotency_entries';
const MINE = 'WHERE cache_key = ? AND owner = ? AND attempt = ?';
const SQL = {
  read: { sql: `SELECT * FROM ${TABLE} WHERE cache_key = ?` },
  insert: {
    sql: `INSERT INTO ${TABLE} (cache_key, digest, run_id, owner, attempt, lease_until, expires_at) VALUES (?, ?, ?, ?, 1, ?, ?)`,
  },
  evict: { sql: `DELETE FROM ${TABLE} WHERE ordinal <= ? AND owner IS NULL` },
  reclaim: {
    sql: `UPDATE ${TABLE} SET owner = ?, attempt = attempt + 1, lease_until = ? WHERE cache_key = ?`,
  },
  renew: { sql: `UPDATE ${TABLE} SET lease_until = ? ${MINE}` },
  finish: {
    sql: `UPDATE ${TABLE} SET owner = NULL, expires_at = ?, status = ?, headers = ?, form = ?, body = ? ${MINE}`,
  },
  unbind: { sql: `UPDATE ${TABLE} SET owner = NULL, lease_until = 0 ${MINE}` },
  remove: { sql: `DELETE FROM ${TABLE} WHERE cache_key = ?` },
  release: { sql: `DELETE FROM ${TABLE} ${MINE}` },
  purge: {
    sql: `DELETE FROM ${TABLE} WHERE ordinal IN (SELECT ordinal FROM ${TABLE} WHERE expires_at <= ? AND (owner IS NULL OR lease_until <= ?) LIMIT ?)`,
  },
} satisfies Record<string, Statement>;

const PURGE_BATCH = 500;

/** The right to execute one request; `attempt` fences off an owner that was taken for dead. */
export interface Reservation {
  readonly cacheKey: string;
  readonly attempt: number;
  /** Id for the run this request creates, the same for every attempt; null on routes that create none. */
  readonly runId: string | null;
  /** An earlier attempt exists, whose work may have been done. */
  readonly reclaimed: boolean;
}

export type Standing =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  | { readonly kind: 'final'; readonly response: StoredResponse }
  | { readonly kind: 'mismatch' }
  /** Somebody executes it; `sameBody` tells whether waiting is of any use. */
  | { readonly kind: 'busy'; readonly sameBody: boolean; readonly leaseMs: number };

export interface EntryStoreOptions {
  readonly database: Database;
  readonly instanceId: string;
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly maxEntries: number;
  /** Epoch ms. */
  readonly now: () => number;
}

export class EntryStore {
  readonly #options: EntryStoreOptions;

  constructor(options: EntryStoreOptions) {
    options.database.migrate('idempotency', MIGRATIONS);
    this.#options = options;
  }

  /** Takes the key if it is free, in one transaction with the look at it, so that two processes cannot both get it. */
  async reserve(cacheKey: string, digest: string, runId: string | null): Promise<Standing> {
    const { database, instanceId, retentionMs, leaseMs, maxEntries, now } = this.#options;
    const known = this.#standing(database.get<Row>(SQL.read, [cacheKey]), digest);
    if (known !== 'free' && known !== 'reclaimable') return known;
    return database.write((tx: WriteTx): Standing => {
      const row = tx.get<Row>(SQL.read, [cacheKey]);
      const standing = this.#standing(row, digest);
      const at = now();
      if (standing === 'reclaimable' && row) {
        tx.run(SQL.reclaim, [instanceId, at + leaseMs, cacheKey]);
        const { attempt, run_id } = row;
        return {
          kind: 'reserved',
          reservation: { cacheKey, attempt: attempt + 1, runId: run_id, reclaimed: true },
        };
      }
      if (typeof standing !== 'string') return standing;
      if (row) tx.run(SQL.remove, [cacheKey]);
      const values = [cacheKey, digest, runId, instanceId, at + leaseMs, at + retentionMs];
      const { lastInsertRowid } = tx.run(SQL.insert, values);
      if (lastInsertRowid > maxEntries) tx.run(SQL.evict, [lastInsertRowid - maxEntries]);
      return { kind: 'reserved', reservation: { cacheKey, attempt: 1, runId, reclaimed: false } };
    });
  }

  /** Stores the answer. False when the reservation was taken over meanwhile. */
  finish({ cacheKey, attempt }: Reservation, response: StoredResponse): Promise<boolean> {
    const { database, instanceId, retentionMs, now } = this.#options;
    const { status, headers, form, body } = response;
    const values = [
      now() + retentionMs,
      status,
      JSON.stringify(headers),
      form,
      body,
      cacheKey,
      instanceId,
      attempt,
    ];
    return database.write((tx) => tx.run(SQL.finish, values).changes === 1);
  }

  /** Nothing was done: the key is as good as new. */
  async release({ cacheKey, attempt }: Reservation): Promise<void> {
    const { database, instanceId } = this.#options;
    await database.write((tx) => tx.run(SQL.release, [cacheKey, instanceId, attempt]));
  }

  /** Something may have been done: the key stays bound to body and run, and the next request executes again. */
  async unbind({ cacheKey, attempt }: Reservation): Promise<void> {
    const { database, instanceId } = this.#options;
    await database.write((tx) => tx.run(SQL.unbind, [cacheKey, instanceId, attempt]));
  }

  async renew(reservations: readonly Reservation[]): Promise<void> {
    const { database, instanceId, leaseMs, now } = this.#options;
    await database.write((tx) => {
      const until = now() + leaseMs;
      for (const { cacheKey, attempt } of reservations)
        tx.run(SQL.renew, [until, cacheKey, instanceId, attempt]);
    });
  }

  /** Deletes expired entries, a batch per transaction; resolves with their number. */
  async purge(signal: AbortSignal): Promise<number> {
    const { database, now } = this.#options;
    for (let total = 0; ; ) {
      const at = now();
      const { changes } = await database.write((tx) => tx.run(SQL.purge, [at, at, PURGE_BATCH]));
      total += changes;
      if (changes < PURGE_BATCH || signal.aborted) return total;
    }
  }

  /** The decision table of HTTP §8.3. */
  #standing(row: Row | undefined, digest: string): Standing | 'free' | 'reclaimable' {
    const at = this.#options.now();
    if (!row) return 'free';
    const executing = row.owner !== null && row.lease_until > at;
    if (row.expires_at <= at && !executing) return 'free';
    const sameBody = row.digest === digest;
    if (executing) return { kind: 'busy', sameBody, leaseMs: row.lease_until - at };
    if (!sameBody) return { kind: 'mismatch' };
    if (row.status === null) return 'reclaimable';
    const headers = JSON.parse(row.headers ?? '{}') as Record<string, string>;
    return {
      kind: 'final',
      response: { status: row.status, headers, form: row.form ?? 'none', body: row.body ?? '' },
    };
  }
}
