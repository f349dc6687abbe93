import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

describe('token bucket', () => {
  it('allows a burst, then the sustained rate', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 10, burst: 3 }, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0]);
    expect(bucket.take(0)).toBe(100);
    expect(bucket.take(99)).toBe(1);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.take(100)).toBe(100);
  });

  it('never holds more than a burst', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 1_000, burst: 2 }, 0);
    expect([bucket.take(1e9), bucket.take(1e9)]).toEqual([0, 0]);
    expect(bucket.take(1e9)).toBeGreaterThan(0);
  });

  it('gives a token back, up to a burst', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 1, burst: 1 }, 0);
    bucket.take(0);
    bucket.giveBack();
    bucket.giveBack();
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(1_000);
  });

  it('keeps its word: after the announced wait there is a token, and rates are kept over any pattern of requests', () => {
    const limit = fc.record({
      requestsPerSecond: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(limit, fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (each, pauses) => {
        const bucket = new TokenBucket(each, 0);
        let now = 0;
        let granted = 0;
        let wait = 0;
        for (const pause of pauses) {
          now += pause;
          wait = bucket.take(now);
          if (wait === 0) granted++;
        }
        expect(granted).toBeLessThanOrEqual(each.burst + (now / 1000) * each.requestsPerSecond + 1e-6);
        if (wait > 0) expect(bucket.take(now + wait)).toBe(0);
      }),
    );
  });
});
