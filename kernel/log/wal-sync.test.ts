import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDatabase } from './database.ts';
import { type Connection, openConnection } from './sqlite.ts';
import { WalSync } from './wal-sync.ts';

let dir: string;
let connection: Connection;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wopr-sync-'));
  connection = openConnection(join(dir, 'store.sqlite'));
  connection.db.exec('create table t (n integer)');
});

afterEach(() => {
  connection.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Holds every sync until it is let go, and counts them. */
class HeldSync extends WalSync {
  readonly held: ((error: Error | null) => void)[] = [];
  override after(done: (error: Error | null) => void): void {
    this.held.push(done);
  }
}

const insert = (n: number) => (tx: { run(query: { sql: string }, parameters: unknown[]): unknown }) => {
  tx.run({ sql: 'insert into t values (?)' }, [n]);
  return n;
};
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const rows = () =>
  connection.db
    .prepare('select n from t order by n')
    .all()
    .map((row) => row.n);

describe('WalSync', () => {
  it('calls back after a sync that began later, in order', async () => {
    const sync = new WalSync(join(dir, 'store.sqlite'));
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3].map(
        (n) =>
          new Promise<void>((resolve) => sync.after((error) => resolve(void order.push(error ? -n : n)))),
      ),
    );
    expect(order).toEqual([1, 2, 3]);
    sync.close();
  });

  it('tells of a WAL that cannot be opened', async () => {
    const sync = new WalSync(join(dir, 'absent.sqlite'));
    const error = await new Promise<Error | null>((resolve) => sync.after(resolve));
    expect(error?.message).toContain('ENOENT');
    expect(existsSync(join(dir, 'absent.sqlite-wal'))).toBe(false);
  });

  it('settles everything when it is closed in the middle of a sync', async () => {
    const sync = new WalSync(join(dir, 'store.sqlite'));
    const first = new Promise<Error | null>((resolve) => sync.after(resolve));
    const second = new Promise<Error | null>((resolve) => sync.after(resolve));
    sync.close();
    expect(await Promise.all([first, second])).toEqual([null, null]);
  });
});

describe('writes', () => {
  it('are acknowledged only when the sync has ended', async () => {
    const sync = new HeldSync(join(dir, 'store.sqlite'));
    const database = new SqliteDatabase(connection, { sync });
    let acknowledged = false;
    const write = database.write(insert(1)).then(() => {
      acknowledged = true;
    });
    await tick();
    await tick();
    expect(rows()).toEqual([1]);
    expect(acknowledged).toBe(false);
    sync.held[0]?.(null);
    await write;
    expect(acknowledged).toBe(true);
  });

  it('count against the queue until they are acknowledged', async () => {
    const sync = new HeldSync(join(dir, 'store.sqlite'));
    const database = new SqliteDatabase(connection, { sync, maxQueued: 2 });
    const writes = [database.write(insert(1)), database.write(insert(2))];
    await tick();
    await expect(database.write(insert(3))).rejects.toMatchObject({ code: 'service_unavailable' });
    for (const done of sync.held) done(null);
    await Promise.all(writes);
    const late = database.write(insert(4));
    await tick();
    sync.held.at(-1)?.(null);
    expect(await late).toBe(4);
  });

  it('are refused for good after a failed sync, which nothing can repair', async () => {
    const sync = new HeldSync(join(dir, 'store.sqlite'));
    const database = new SqliteDatabase(connection, { sync });
    const write = database.write(insert(1));
    const failed = expect(write).rejects.toMatchObject({ code: 'store_corrupt' });
    await tick();
    sync.held[0]?.(new Error('EIO'));
    await failed;
    await expect(database.write(insert(2))).rejects.toMatchObject({ code: 'store_corrupt' });
  });
});
