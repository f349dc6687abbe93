import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from './index.ts';
import { temporaryStores } from './testing.ts';

const CREATE = [
  { name: '001-items', up: ['CREATE TABLE items (name TEXT PRIMARY KEY, size INTEGER) STRICT'] },
];
const INSERT = { sql: 'INSERT INTO items VALUES (?, ?)' };
const COUNT = { sql: 'SELECT count(*) AS n FROM items' };

let stores: ReturnType<typeof temporaryStores>;
let store: Store;

beforeEach(() => {
  stores = temporaryStores();
  store = stores.open();
  store.database.migrate('test', CREATE);
});
afterEach(() => stores.remove());

/** What another connection sees, which is what was committed. */
function committed(): number {
  const other = new DatabaseSync(stores.path, { readOnly: true });
  try {
    return Number(other.prepare(COUNT.sql).get()?.n);
  } finally {
    other.close();
  }
}

const insert = (name: string) => store.database.write((tx) => tx.run(INSERT, [name, 1]).changes);

describe('group commit', () => {
  it('resolves after the commit, with what the job returned', async () => {
    const writes = Array.from({ length: 20 }, (_, index) =>
      insert(`item ${index}`).then((changes) => [changes, committed()]),
    );
    expect(committed()).toBe(0);
    for (const seen of await Promise.all(writes)) expect(seen).toEqual([1, 20]);
  });

  it('shares one transaction between the jobs of a tick', async () => {
    const inside: number[] = [];
    const job = (name: string) =>
      store.database.write((tx) => {
        tx.run(INSERT, [name, 1]);
        inside.push(committed());
      });
    await Promise.all([job('a'), job('b'), job('c')]);
    expect(inside).toEqual([0, 0, 0]);
    expect(committed()).toBe(3);
  });

  it('rejects only the job that fails before it changes anything', async () => {
    const results = await Promise.allSettled([
      insert('a'),
      store.database.write(() => {
        throw new Error('refused');
      }),
      insert('a'),
      insert('b'),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(committed()).toBe(2);
  });

  it('rolls back the changes of a failing job, and only those', async () => {
    const half = store.database.write((tx) => {
      tx.run(INSERT, ['half', 1]);
      throw new Error('changed my mind');
    });
    const returning = store.database.write((tx) => {
      tx.get({ sql: "INSERT INTO items VALUES ('returned', 1) RETURNING name" });
      throw new Error('changed my mind');
    });
    const results = await Promise.allSettled([insert('before'), half, returning, insert('after')]);
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(store.database.all({ sql: 'SELECT name FROM items ORDER BY name' })).toEqual([
      { name: 'after' },
      { name: 'before' },
    ]);
  });

  it('keeps the order of jobs', async () => {
    await Promise.all(
      Array.from({ length: 600 }, (_, index) =>
        store.database.write((tx) => tx.run(INSERT, [`${index}`, index])),
      ),
    );
    const rows = store.database.all<{ size: number }>({ sql: 'SELECT size FROM items ORDER BY rowid' });
    expect(rows.map((row) => row.size)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  });

  it('refuses writes when the queue is full, and takes them again afterwards', async () => {
    const small = stores.open({ maxQueued: 2 });
    const write = (name: string) => small.database.write((tx) => tx.run(INSERT, [name, 1]));
    const kept = [write('a'), write('b')];
    await expect(write('c')).rejects.toMatchObject({ code: 'service_unavailable', retryAfterSeconds: 1 });
    await Promise.all(kept);
    await write('d');
    expect(committed()).toBe(3);
  });

  it('waits for another process that holds the write lock', async () => {
    const other = new DatabaseSync(stores.path);
    other.exec('BEGIN IMMEDIATE');
    const write = insert('patient');
    // Longer than one blocking wait for the lock, so the flush has to come back.
    const released = new Promise<void>((resolve) =>
      setTimeout(() => {
        other.exec('COMMIT');
        resolve();
      }, 700),
    );
    await released;
    await write;
    expect(committed()).toBe(1);
    other.close();
  });

  it('rejects everything when the commit fails', async () => {
    store.database.migrate('deferred', [
      {
        name: '001',
        up: ['CREATE TABLE refs (name TEXT REFERENCES items (name) DEFERRABLE INITIALLY DEFERRED) STRICT'],
      },
    ]);
    const dangling = store.database.write((tx) => tx.run({ sql: "INSERT INTO refs VALUES ('nobody')" }));
    const results = await Promise.allSettled([dangling]);
    expect(results[0]?.status).toBe('rejected');
    expect(store.database.all({ sql: 'SELECT * FROM refs' })).toEqual([]);
    await insert('works again');
    expect(committed()).toBe(1);
  });

  it('commits what is queued when it closes, then refuses', async () => {
    const write = insert('last');
    await stores.close(store);
    await expect(write).resolves.toBe(1);
    expect(committed()).toBe(1);
    await expect(insert('late')).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it('reads through Kysely and refuses to write through it', async () => {
    interface Items {
      items: { name: string; size: number };
    }
    const kysely = store.database.kysely as unknown as import('kysely').Kysely<Items>;
    await insert('a');
    expect(await kysely.selectFrom('items').selectAll().where('name', '=', 'a').execute()).toEqual([
      { name: 'a', size: 1 },
    ]);
    await expect(kysely.deleteFrom('items').execute()).rejects.toThrow('Database.write()');
    await store.database.write((tx) => tx.run(kysely.deleteFrom('items').where('name', '=', 'a').compile()));
    expect(committed()).toBe(0);
  });
});

describe('migrations', () => {
  const second = { name: '002-colour', up: ['ALTER TABLE items ADD COLUMN colour TEXT'] };

  it('applies what is pending, once', async () => {
    store.database.migrate('test', [...CREATE, second]);
    store.database.migrate('test', [...CREATE, second]);
    await insert('a').catch(() => {});
    const applied = store.database.all({
      sql: "SELECT owner, name FROM migrations WHERE owner = 'test' ORDER BY name",
    });
    expect(applied).toEqual([
      { owner: 'test', name: '001-items' },
      { owner: 'test', name: '002-colour' },
    ]);
  });

  it('refuses a store with migrations this build does not know', () => {
    store.database.migrate('test', [...CREATE, second]);
    expect(() => store.database.migrate('test', CREATE)).toThrow(
      expect.objectContaining({ code: 'store_newer', details: { owner: 'test', unknown: ['002-colour'] } }),
    );
  });

  it('applies nothing of a migration that fails', () => {
    const broken = { name: '002-broken', up: ['CREATE TABLE half (a TEXT) STRICT', 'CREATE NONSENSE'] };
    expect(() => store.database.migrate('test', [...CREATE, broken])).toThrow('NONSENSE');
    expect(store.database.all({ sql: "SELECT name FROM sqlite_master WHERE name = 'half'" })).toEqual([]);
    store.database.migrate('test', [...CREATE, second]);
  });

  it('refuses a newer log as a whole when the store is opened', async () => {
    await store.database.write((tx) =>
      tx.run({ sql: "INSERT INTO migrations VALUES ('log', '999-future', '2030')" }),
    );
    expect(() => stores.open()).toThrow(expect.objectContaining({ code: 'store_newer' }));
  });

  it('reports a file that is no store', async () => {
    const { writeFileSync } = await import('node:fs');
    const { openStore } = await import('./index.ts');
    const { silent } = await import('./testing.ts');
    const path = `${stores.path}.txt`;
    writeFileSync(path, 'not a database, though long enough to be read as one '.repeat(100));
    expect(() => openStore({ path, logger: silent })).toThrow(
      expect.objectContaining({ code: 'store_corrupt' }),
    );
  });
});
