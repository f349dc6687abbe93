import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEventDoc, Store } from './index.ts';
import { ending, entries, newRun, projection, temporaryStores } from './testing.ts';

let stores: ReturnType<typeof temporaryStores>;
let store: Store;
let abort: AbortController;

beforeEach(() => {
  stores = temporaryStores();
  store = stores.open();
  abort = new AbortController();
});
afterEach(async () => {
  abort.abort();
  await stores.remove();
});

const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, index) => from + index);

async function collect(
  from: Store,
  runId: string,
  first = 0,
  pause?: () => Promise<unknown>,
): Promise<number[]> {
  const seen: number[] = [];
  for await (const events of from.log.follow(runId, first, abort.signal)) {
    seen.push(...events.map((doc) => doc.sequence));
    await pause?.();
  }
  return seen;
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A small reproducible random source. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
}

/** Appends batches of random sizes until the run ends; returns the number of events. */
async function write(to: Store, runId: string, seed: number, total: number): Promise<number> {
  const next = random(seed);
  let sequence = 1;
  while (sequence < total) {
    const size = Math.min(1 + Math.floor(next() * 40), total - sequence);
    await to.log.append({
      runId,
      entries: entries(runId, sequence, sequence + size),
      projection: projection(),
    });
    sequence += size;
    if (next() < 0.3) await tick();
  }
  await to.log.append(ending(runId, sequence));
  return sequence + 1;
}

describe('follow', () => {
  it('gives the backlog of a finished run and ends', async () => {
    await store.log.createRun(newRun('r1'));
    const total = await write(store, 'r1', 1, 700);
    expect(await collect(store, 'r1')).toEqual(upTo(total));
    expect(await collect(store, 'r1', 650)).toEqual(upTo(total, 650));
  });

  it('ends at once behind the end of a finished run, and for an unknown run', async () => {
    await store.log.createRun(newRun('r1'));
    await store.log.append(ending('r1', 1));
    expect(await collect(store, 'r1', 2)).toEqual([]);
    expect(await collect(store, 'r1', 99)).toEqual([]);
    expect(await collect(store, 'nobody')).toEqual([]);
  });

  it('has no gap and no repeat, wherever followers start and however slow they are', async () => {
    for (const seed of [3, 4, 5]) {
      const runId = `r${seed}`;
      await store.log.createRun(newRun(runId));
      const next = random(seed);
      const early = Array.from({ length: 8 }, (_, index) => {
        const first = Math.floor(next() * 50);
        const slow = index % 2 === 0 ? tick : undefined;
        return collect(store, runId, first, slow).then((seen) => ({ first, seen }));
      });
      const total = await write(store, runId, seed, 1500);
      for (const { first, seen } of await Promise.all(early)) expect(seen).toEqual(upTo(total, first));
    }
  });

  it('sees what another instance appends, in the middle of a takeover', async () => {
    const other = stores.open();
    await store.claims.start();
    await other.claims.start();
    await store.log.createRun(newRun('r1'));
    const following = Promise.all([collect(store, 'r1'), collect(other, 'r1', 5)]);
    await store.log.append({
      runId: 'r1',
      entries: entries('r1', 1, 11),
      projection: projection(),
      release: true,
    });
    expect(await other.claims.claim('r1')).toMatchObject({ taken: true });
    await other.log.append({
      runId: 'r1',
      entries: entries('r1', 11, 400),
      projection: projection(),
      release: true,
    });
    await store.claims.claim('r1');
    await store.log.append({ runId: 'r1', entries: entries('r1', 400, 410), projection: projection() });
    await store.log.append(ending('r1', 410));
    expect(await following).toEqual([upTo(411), upTo(411, 5)]);
  });

  it('wakes everybody for foreign events that a busy follower has read already', async () => {
    const other = stores.open();
    await store.claims.start();
    await other.claims.start();
    await store.log.createRun(newRun('r1', { release: true }));
    const busy = store.log.follow('r1', 0, abort.signal)[Symbol.asyncIterator]();
    await busy.next();
    const waiting = collect(store, 'r1', 1);
    await tick();
    await other.claims.claim('r1');
    await other.log.append({ runId: 'r1', entries: entries('r1', 1, 4), projection: projection() });
    expect((await busy.next()).value).toHaveLength(3);
    await other.log.append(ending('r1', 4));
    expect((await busy.next()).value).toHaveLength(1);
    expect(await waiting).toEqual([1, 2, 3, 4]);
  });

  it('lets a reader that does not read hold nothing up', async () => {
    await store.log.createRun(newRun('r1'));
    const stuck = store.log.follow('r1', 0, abort.signal)[Symbol.asyncIterator]();
    await stuck.next();
    const total = await write(store, 'r1', 9, 3000);
    const seen = [0];
    for (let next = await stuck.next(); !next.done; next = await stuck.next())
      seen.push(...next.value.map((doc) => doc.sequence));
    expect(seen).toEqual(upTo(total));
  });

  it('ends on abort, before, during and after the backlog', async () => {
    await store.log.createRun(newRun('r1'));
    const before = new AbortController();
    before.abort();
    for await (const events of store.log.follow('r1', 0, before.signal))
      expect.unreachable(`${events.length} events`);
    const later = new AbortController();
    const batches: number[] = [];
    const following = (async () => {
      for await (const events of store.log.follow('r1', 0, later.signal)) batches.push(events.length);
    })();
    await tick();
    later.abort();
    await following;
    expect(batches).toEqual([1]);
  });

  it('gives a thousand followers the same documents', async () => {
    await store.log.createRun(newRun('r1'));
    const copies: RunEventDoc[][] = Array.from({ length: 1000 }, () => []);
    const following = copies.map(async (copy) => {
      for await (const events of store.log.follow('r1', 1, abort.signal)) copy.push(...events);
    });
    await tick();
    const total = await write(store, 'r1', 6, 200);
    await Promise.all(following);
    for (const copy of copies) {
      expect(copy.length).toBe(total - 1);
      for (const [index, doc] of copy.entries())
        if (doc !== copies[0]?.[index]) expect.unreachable(`event ${index} was copied`);
    }
    expect(copies[0]?.map((doc) => doc.sequence)).toEqual(upTo(total, 1));
  });
});
