/** A client that retries: quickly, often, and long after the run has ended. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Answer } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { block, fixture, host } from '../host.ts';
import { runIdOf, waitForTerminal } from '../runs.ts';

const RETRIES = 8;
const PAUSE_MS = 100;
const A_DAY_IN_SECONDS = 86_400;

/** The first answer, those of the retries, and the rate-limited ones in between with what came after the announced wait. */
const retried = shared(async () => {
  const workflowId = await fixture('conformance-idempotent');
  const headers = { 'idempotency-key': randomUUID() };
  const send = () =>
    host.post('/v1/runs', { workflowId, inputs: { nonce: 'retry' } }, { headers, patient: false });
  const first = await send();
  const retries: Answer[] = [];
  const limited: { refusal: Answer; after: Answer }[] = [];
  for (let i = 0; i < RETRIES; i++) {
    await sleep(PAUSE_MS);
    const answer = await send();
    if (answer.status !== 429) {
      retries.push(answer);
      continue;
    }
    await sleep((answer.retryAfterSeconds ?? 1) * 1000);
    const after = await send();
    limited.push({ refusal: answer, after });
    retries.push(after);
  }
  await waitForTerminal(runIdOf(first));
  retries.push(await send());
  return { first, retries, limited };
});

requirement(
  'idempotency.retries',
  `${RETRIES} retries and one after the run has ended name one run`,
  async () => {
    const { first, retries } = await retried();
    for (const answer of retries) expect(runIdOf(answer)).toBe(runIdOf(first));
  },
);

requirement('idempotency.stored-answer', 'each retry repeats status and body', async () => {
  const { first, retries } = await retried();
  for (const answer of retries) {
    expect(answer.status).toBe(first.status);
    expect(answer.json).toEqual(first.json);
  }
});

requirement('idempotency.replay-header', 'each retry is marked as a replay', async () => {
  for (const { headers } of (await retried()).retries) {
    expect(headers.get('openwop-idempotent-replay')).toBe('true');
  }
});

requirement('idempotency.retry-429', 'a limited retry says how long to wait and then succeeds', async () => {
  const { limited } = await retried();
  if (limited.length === 0) notClaimed('no retry was rate limited');
  for (const { refusal, after } of limited) {
    expect(refusal.retryAfterSeconds, 'Retry-After').toBeTypeOf('number');
    expect([200, 201]).toContain(after.status);
  }
});

requirement('idempotency.retention', 'layer1RetentionSeconds is at least a day', async () => {
  const retention = (await block('idempotency'))?.layer1RetentionSeconds;
  if (retention === undefined) notClaimed('no retention is advertised');
  expect(retention).toBeGreaterThanOrEqual(A_DAY_IN_SECONDS);
});
