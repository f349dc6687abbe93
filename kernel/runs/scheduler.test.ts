import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silent } from '../log/testing.ts';
import type { Claims } from '../log/types.ts';
import { Scheduler } from './scheduler.ts';
import type { Runs } from './service.ts';

/** Far away, so that only timers can be what looks at the store. */
const RECOVERY_MS = 1_000_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Parked runs by the time they are due at, and a scheduler that takes them with `take`. */
function scheduled(parked: Map<string, number>, take: (runId: string) => Promise<boolean>) {
  const looks = vi.fn((now: number) => [...parked].filter(([, at]) => at <= now).map(([runId]) => runId));
  const nextWake = vi.fn(() => (parked.size === 0 ? undefined : Math.min(...parked.values())));
  const claims = {
    due: looks,
    stale: () => [],
    nextWake,
    onForeignChange: () => () => {},
  } as unknown as Claims;
  const scheduler = new Scheduler({
    claims,
    runs: { take } as unknown as Runs,
    logger: silent,
    now: Date.now,
    recoveryIntervalMs: RECOVERY_MS,
  });
  return { scheduler, looks, nextWake };
}

test('a run that becomes due while others are being taken is taken after them', async () => {
  const start = Date.now();
  const parked = new Map([['slow', start]]);
  const taken: string[] = [];
  const { scheduler } = scheduled(parked, async (runId) => {
    if (runId === 'slow') await new Promise((resolve) => setTimeout(resolve, 50));
    parked.delete(runId);
    taken.push(runId);
    return true;
  });
  const started = scheduler.start();
  parked.set('later', start + 10);
  scheduler.wakeAt(start + 10);
  await vi.advanceTimersByTimeAsync(100);
  await started;
  expect(taken).toEqual(['slow', 'later']);
  scheduler.stop();
});

test('a due run this host has no room for is asked for a few times a second, not all the time', async () => {
  const parked = new Map([['due', Date.now()]]);
  let room = false;
  const { scheduler, looks } = scheduled(parked, async (runId) => room && parked.delete(runId));
  await scheduler.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(looks.mock.calls.length).toBeGreaterThanOrEqual(4);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(5);
  room = true;
  await vi.advanceTimersByTimeAsync(250);
  expect(parked.size).toBe(0);
  scheduler.stop();
});

test('a look that ends after the stop leaves the store alone', async () => {
  const parked = new Map([['due', Date.now()]]);
  let finish = (): void => {};
  const { scheduler, looks, nextWake } = scheduled(parked, () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    finish = () => resolve(false);
    return promise;
  });
  const started = scheduler.start();
  scheduler.stop();
  finish();
  await started;
  await vi.advanceTimersByTimeAsync(1000);
  expect(looks).toHaveBeenCalledOnce();
  expect(nextWake).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
