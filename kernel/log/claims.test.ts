import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Store } from './index.ts';
import { completed, ending, entries, header, newRun, projection, temporaryStores } from './testing.ts';

const TTL = 10_000;

let stores: ReturnType<typeof temporaryStores>;
let now: number;
let one: Store;
let two: Store;

beforeEach(async () => {
  stores = temporaryStores();
  now = 1_000_000;
  const options = { now: () => now, claimTtlMs: TTL, heartbeatIntervalMs: 3_600_000 };
  one = stores.open({ ...options, instanceId: 'one' });
  two = stores.open({ ...options, instanceId: 'two' });
  await one.claims.start();
  await two.claims.start();
});
afterEach(() => stores.remove());

const parked = (runId: string, wakeAt: number | null) =>
  newRun(runId, { release: true, projection: projection({ status: 'waiting-input', wakeAt }) });

describe('claim', () => {
  it('takes an unowned run, keeps its own, refuses one with a living owner', async () => {
    await one.log.createRun(parked('r1', null));
    expect(await two.claims.claim('r1')).toEqual({ taken: true, from: null });
    expect(await two.claims.claim('r1')).toEqual({ taken: true, from: 'two' });
    expect(await one.claims.claim('r1')).toEqual({ taken: false, from: 'two' });
    expect(two.log.run('r1')?.owner).toBe('two');
  });

  it('refuses finished and unknown runs', async () => {
    await one.log.createRun(newRun('r1', { projection: completed }));
    expect(await one.claims.claim('r1')).toEqual({ taken: false, from: null });
    expect(await one.claims.claim('nobody')).toEqual({ taken: false, from: null });
  });

  it('has one winner when instances race for many runs', async () => {
    const runs = Array.from({ length: 50 }, (_, index) => `r${index}`);
    await Promise.all(runs.map((runId) => one.log.createRun(parked(runId, null))));
    const claims = await Promise.all(
      runs.map((runId) => Promise.all([one.claims.claim(runId), two.claims.claim(runId)])),
    );
    for (const pair of claims) expect(pair.filter((claim) => claim.taken)).toHaveLength(1);
  });

  it('takes over at the moment the lease expires, and the former owner can no longer append', async () => {
    await one.log.createRun(newRun('r1'));
    expect(one.claims.leaseExpiry('r1')).toBe(now + TTL);
    now += TTL - 1;
    expect(await two.claims.claim('r1')).toEqual({ taken: false, from: 'one' });
    expect(two.claims.stale(now, 10)).toEqual([]);
    now += 1;
    expect(two.claims.stale(now, 10)).toEqual(['r1']);
    expect(one.claims.stale(now, 10)).toEqual([]);
    expect(await two.claims.claim('r1')).toEqual({ taken: true, from: 'one' });
    await expect(one.log.append(ending('r1', 1))).rejects.toMatchObject({ code: 'claim_lost' });
    await two.log.append({ runId: 'r1', entries: entries('r1', 1, 2), projection: projection() });
    await two.log.append(ending('r1', 2));
    expect(one.log.read('r1').map((doc) => doc.sequence)).toEqual([0, 1, 2]);
  });

  it('still appends after its lease expired while nobody took the run', async () => {
    await one.log.createRun(newRun('r1'));
    now += 10 * TTL;
    await one.log.append(ending('r1', 1));
    expect(one.log.run('r1')?.status).toBe('completed');
  });
});

describe('heartbeat', () => {
  it('renews the lease, reports a failure and goes on', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const errors: unknown[] = [];
      const logger = { error: (...args: unknown[]) => errors.push(args), info() {}, warn() {} } as never;
      const beating = stores.open({
        now: () => now,
        claimTtlMs: TTL,
        heartbeatIntervalMs: 2_500,
        maxQueued: 1,
        logger,
      });
      await beating.claims.start();
      await beating.log.createRun(newRun('r1'));
      now += 2_500;
      const filling = beating.database.write(() => 0);
      vi.advanceTimersByTime(2_500);
      await filling;
      await vi.waitFor(() => expect(errors).toHaveLength(1));
      expect(beating.claims.leaseExpiry('r1')).toBe(1_000_000 + TTL);
      vi.advanceTimersByTime(2_500);
      await vi.waitFor(() => expect(beating.claims.leaseExpiry('r1')).toBe(now + TTL));
      await beating.claims.stop();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('stop', () => {
  it('makes every run due at once, for whoever comes first', async () => {
    await one.log.createRun(newRun('r1'));
    await one.log.createRun(
      newRun('r2', { projection: projection({ status: 'waiting-approval', wakeAt: now + 99_999 }) }),
    );
    expect(two.claims.due(now, 10)).toEqual([]);
    await one.claims.stop();
    expect(two.claims.due(now, 10).sort()).toEqual(['r1', 'r2']);
    expect(await two.claims.claim('r1')).toEqual({ taken: true, from: null });
    await expect(one.log.append(ending('r1', 1))).rejects.toMatchObject({ code: 'claim_lost' });
  });
});

describe('due and stale', () => {
  it('finds timers of unowned runs, oldest first', async () => {
    expect(one.claims.nextWake()).toBeUndefined();
    await one.log.createRun(parked('late', now + 200));
    await one.log.createRun(parked('soon', now + 100));
    await one.log.createRun(parked('never', null));
    await one.log.createRun(newRun('owned', { projection: projection({ wakeAt: now }) }));
    expect(one.claims.nextWake()).toBe(now + 100);
    expect(one.claims.due(now + 99, 10)).toEqual([]);
    expect(one.claims.due(now + 200, 10)).toEqual(['soon', 'late']);
    expect(one.claims.due(now + 200, 1)).toEqual(['soon']);
    expect(one.claims.stale(now + 200, 10)).toEqual([]);
  });

  it('finds stranded runs and signalled ones', async () => {
    await one.log.createRun(newRun('stranded', { release: true }));
    await one.log.createRun(parked('parked', null));
    await one.log.createRun(newRun('mine'));
    expect(two.claims.stale(now, 10)).toEqual(['stranded']);
    await two.log.signal('parked', 'cancel', {});
    await two.log.signal('parked', 'cancel', {});
    await two.log.signal('mine', 'cancel', {});
    expect(two.claims.stale(now, 10)).toEqual(['stranded', 'parked']);
    expect(two.claims.stale(now, 1)).toEqual(['stranded']);
    expect(one.claims.signalled(10)).toEqual(['mine']);
    expect(two.claims.signalled(10)).toEqual([]);
  });

  it('treats an owner without any lease as expired', async () => {
    const ghost = stores.open({ instanceId: 'ghost', now: () => now });
    await ghost.log.createRun(newRun('r1'));
    expect(one.claims.leaseExpiry('r1')).toBeUndefined();
    expect(one.claims.stale(now, 10)).toEqual(['r1']);
    expect(await one.claims.claim('r1')).toEqual({ taken: true, from: 'ghost' });
  });

  it('does not look at finished or living runs', async () => {
    for (let index = 0; index < 20; index += 1)
      await one.log.createRun(newRun(`done-${index}`, { projection: completed }));
    const plans = [
      `SELECT run_id FROM runs WHERE owner IS NULL AND wake_at <= 5 ORDER BY wake_at LIMIT 5`,
      `SELECT run_id FROM runs WHERE owner IS NULL AND wake_at IS NULL AND status IN ('pending', 'running') ORDER BY run_id`,
      `SELECT min(owner) FROM runs WHERE owner IS NOT NULL`,
      `SELECT run_id FROM runs WHERE owner IN ('a', 'b')`,
    ].map((sql) =>
      one.database
        .all<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}` })
        .map((row) => row.detail)
        .join(),
    );
    expect(plans[0]).toContain('runs_timed');
    expect(plans[1]).toContain('runs_stranded');
    expect(plans[2]).toContain('runs_owned');
    expect(plans[3]).toContain('runs_owned');
  });
});

describe('foreign changes', () => {
  it('are noticed, and own commits and checkpoints are not', async () => {
    let noticed = 0;
    const off = one.claims.onForeignChange(() => {
      noticed += 1;
    });
    const settle = () => new Promise((resolve) => setTimeout(resolve, 400));
    await two.log.createRun(newRun('r1', { header: header('r1') }));
    await vi.waitFor(() => expect(noticed).toBeGreaterThan(0), { timeout: 5_000 });
    await settle();
    const before = noticed;
    for (let index = 0; index < 40; index += 1) await one.log.createRun(newRun(`own-${index}`));
    await settle();
    expect(noticed).toBe(before);
    off();
  });
});
