/** Too many requests: what the refusal looks like, and that it ends. Runs last, since it uses up the limit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import type { Answer } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { host, UNKNOWN_ID } from '../host.ts';
import { runPath } from '../runs.ts';

const DISCOVERY = '/.well-known/openwop';
const BURST = 200;
const SCOPES = ['tenant', 'route', 'global', 'key'];
/** Tolerated difference between the two ways a wait is announced. */
const TOLERANCE_MS = 1500;
const LONGEST_WAIT_SECONDS = 60;

async function burst(path: string, key: null | undefined): Promise<Answer | undefined> {
  const call = { patient: false, ...(key === null ? { key } : {}) };
  const answers = await Promise.all(Array.from({ length: BURST }, () => host.get(path, call)));
  return answers.find(({ status }) => status === 429);
}

/** The first 429 that a burst at discovery, or else at a run, brings about. */
const limited = shared(async () => {
  const atDiscovery = await burst(DISCOVERY, null);
  if (atDiscovery !== undefined) return { answer: atDiscovery, path: DISCOVERY };
  const path = runPath(UNKNOWN_ID);
  const answer = (await burst(path, undefined)) ?? notClaimed(`no 429 within ${BURST} requests`);
  return { answer, path };
});

requirement(
  'http.rate-limit.recovers',
  'after the announced wait the request is served',
  async () => {
    const { answer, path } = await limited();
    const seconds = answer.retryAfterSeconds ?? 1;
    if (seconds > LONGEST_WAIT_SECONDS) notClaimed(`the announced wait of ${seconds} s is too long to try`);
    await sleep(seconds * 1000);
    const again = await host.get(path, { patient: false });
    expect(again.status).not.toBe(429);
  },
  { timeoutMs: 90_000 },
);

requirement('http.rate-limit.code', 'the refusal is 429 rate_limited', async () => {
  expectRefusal((await limited()).answer, { status: 429, code: 'rate_limited' });
});

requirement('http.rate-limit.retry-after', 'Retry-After is a whole number of seconds', async () => {
  expect((await limited()).answer.retryAfterSeconds).toBeTypeOf('number');
});

requirement(
  'http.rate-limit.details',
  'scope and retryAfterMs are there and agree with Retry-After',
  async () => {
    const { answer } = await limited();
    const details = expectRefusal(answer, { status: 429 }).details ?? {};
    expect(SCOPES).toContain(details.scope);
    expect(
      Math.abs(Number(details.retryAfterMs) - (answer.retryAfterSeconds ?? 0) * 1000),
    ).toBeLessThanOrEqual(TOLERANCE_MS);
  },
);
