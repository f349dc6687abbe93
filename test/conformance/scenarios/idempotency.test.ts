/** One key, one effect: replays, mismatches, and what may not be remembered. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import type { Answer } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { fixture, host, lowScopeKey, UNKNOWN_ID } from '../host.ts';
import { runIdOf, runPath, start, waitForTerminal } from '../runs.ts';

const REPLAY = 'openwop-idempotent-replay';

const isReplay = (answer: Answer) => answer.headers.get(REPLAY) === 'true';

async function create(key: string, nonce = 'one'): Promise<Answer> {
  const workflowId = await fixture('conformance-idempotent');
  return host.post(
    '/v1/runs',
    { workflowId, inputs: { nonce } },
    { headers: { 'idempotency-key': key }, patient: false },
  );
}

/** The same request twice, one after the other. */
const twice = shared(async () => {
  const key = randomUUID();
  return { first: await create(key), second: await create(key), key };
});

requirement('idempotency.same-run', 'the second answer names the first run', async () => {
  const { first, second } = await twice();
  expect(first.status).toBe(201);
  expect(runIdOf(second)).toBe(runIdOf(first));
});

requirement('idempotency.fresh-header', 'the first answer is no replay', async () => {
  expect(isReplay((await twice()).first)).toBe(false);
});

requirement('idempotency.replay-header', 'the second one says so', async () => {
  expect((await twice()).second.headers.get(REPLAY)).toBe('true');
});

requirement('idempotency.stored-answer', 'status and body are those of the first answer', async () => {
  const { first, second } = await twice();
  expect(second.status).toBe(first.status);
  expect(second.json).toEqual(first.json);
});

const mismatch = shared(async () => {
  const { key, first } = await twice();
  return { first, answer: await create(key, 'two') };
});

requirement('idempotency.mismatch', 'another body under the key is 409', async () => {
  const { first, answer } = await mismatch();
  expectRefusal(answer, { status: 409 });
  expect(isReplay(answer)).toBe(false);
  expect(answer.object.runId).toBeUndefined();
  expect(answer.text).not.toBe(first.text);
});

requirement('idempotency.mismatch-code', 'the code is idempotency_key_mismatch', async () => {
  expectRefusal((await mismatch()).answer, { status: 409, code: 'idempotency_key_mismatch' });
});

requirement('idempotency.mismatch', 'the stored answer survives the mismatch', async () => {
  const { first } = await mismatch();
  const again = await create((await twice()).key);
  expect(runIdOf(again)).toBe(runIdOf(first));
});

requirement('idempotency.endpoint-separation', 'a key used for create can be used for cancel', async () => {
  const key = randomUUID();
  const runId = runIdOf(await create(key));
  await waitForTerminal(runId);
  const cancel = await host.post(`${runPath(runId)}/cancel`, {}, { headers: { 'idempotency-key': key } });
  expect(cancel.status).toBe(200);
  expect(isReplay(cancel)).toBe(false);
  expect(cancel.object.status).toBe('completed');
});

requirement(
  'idempotency.endpoint-separation',
  'cancelling another run under the key cancels that run',
  async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [a, b] = await Promise.all([start('conformance-cancellable'), start('conformance-cancellable')]);
    const one = await host.post(`${runPath(a)}/cancel`, {}, { headers });
    const other = await host.post(`${runPath(b)}/cancel`, {}, { headers });
    expect(one.object.runId).toBe(a);
    expect(other.object.runId).toBe(b);
    expect((await waitForTerminal(b)).status).toBe('cancelled');
  },
);

requirement('idempotency.mutating-routes', 'a repeated cancel is replayed', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const runId = await start('conformance-cancellable');
  const first = await host.post(`${runPath(runId)}/cancel`, {}, { headers });
  await waitForTerminal(runId);
  const second = await host.post(`${runPath(runId)}/cancel`, {}, { headers });
  expect(isReplay(first)).toBe(false);
  expect(isReplay(second)).toBe(true);
  expect(second.json).toEqual(first.json);
});

requirement('idempotency.get-ignores', 'a GET under a used key is answered afresh', async () => {
  const { first, key } = await twice();
  const answer = await host.get(runPath(runIdOf(first)), { headers: { 'idempotency-key': key } });
  expect(answer.status).toBe(200);
  expect(isReplay(answer)).toBe(false);
  expect(answer.object.workflowId).toBe('conformance-idempotent');
});

requirement('idempotency.key-length', '255 characters are accepted, 256 refused', async () => {
  const longest = randomUUID().padEnd(255, 'k');
  expect((await create(longest)).status).toBe(201);
  expectRefusal(await create(`${longest}k`), { status: 400, code: 'validation_error' });
});

requirement('idempotency.refusals-not-kept', 'after a 400 the key is free', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const bad = await host.post('/v1/runs', { workflowId: UNKNOWN_ID }, { headers });
  expectRefusal(bad, { status: 400 });
  const good = await create(headers['idempotency-key']);
  expect(good.status, good.text.slice(0, 200)).toBe(201);
  expect(isReplay(good)).toBe(false);
});

requirement('idempotency.refusals-not-kept', 'after a 401 the key is free', async () => {
  const key = randomUUID();
  const body = { workflowId: await fixture('conformance-idempotent'), inputs: { nonce: 'one' } };
  const bad = await host.post('/v1/runs', body, { headers: { 'idempotency-key': key }, key: 'unknown-key' });
  expectRefusal(bad, { status: 401 });
  const good = await create(key);
  expect(good.status).toBe(201);
  expect(isReplay(good)).toBe(false);
});

requirement(
  'idempotency.scope-refusal-not-kept',
  'after a 403 another key of the tenant succeeds',
  async () => {
    const key = randomUUID();
    const body = { workflowId: await fixture('conformance-idempotent'), inputs: { nonce: 'one' } };
    const headers = { 'idempotency-key': key };
    expectRefusal(await host.post('/v1/runs', body, { headers, key: lowScopeKey() }), { status: 403 });
    expect((await create(key)).status).toBe(201);
  },
);

requirement('idempotency.final-refusals-kept', 'a 404 is replayed', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await host.post(`${runPath(UNKNOWN_ID)}/cancel`, {}, { headers });
  const second = await host.post(`${runPath(UNKNOWN_ID)}/cancel`, {}, { headers });
  expectRefusal(first, { status: 404 });
  expectRefusal(second, { status: 404 });
  expect(isReplay(first)).toBe(false);
  expect(isReplay(second)).toBe(true);
});

const parallel = shared(async () => {
  const key = randomUUID();
  return Promise.all(Array.from({ length: 10 }, () => create(key)));
});

requirement('idempotency.parallel', 'all answers are 2xx or 409 and name one run', async () => {
  const answers = await parallel();
  for (const { status } of answers) expect([200, 201, 409]).toContain(status);
  const accepted = answers.filter(({ status }) => status !== 409);
  expect(new Set(accepted.map(runIdOf)).size).toBe(1);
  expect(accepted.filter((answer) => !isReplay(answer)).length, 'fresh answers').toBe(1);
});

requirement(
  'idempotency.in-flight',
  'a 409 among them says idempotency_in_flight and when to try again',
  async () => {
    const refused = (await parallel()).filter(({ status }) => status === 409);
    if (refused.length === 0) notClaimed('the host lets the twin wait instead of refusing it');
    for (const answer of refused) {
      const { details } = expectRefusal(answer, { status: 409, code: 'idempotency_in_flight' });
      expect(details?.retryAfter).toBeTypeOf('number');
      expect(Number(details?.retryAfter)).toBeGreaterThan(0);
    }
  },
);

requirement('idempotency.canonical-body', 'spacing and key order do not matter', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const workflowId = await fixture('conformance-idempotent');
  const first = await host.post('/v1/runs', { workflowId, inputs: { nonce: 'one' } }, { headers });
  const text = `{ "inputs": { "nonce": "one" },\n  "workflowId": "${workflowId}" }`;
  const second = await host.post('/v1/runs', undefined, { headers, text });
  expect(second.status, second.text.slice(0, 200)).toBe(first.status);
  expect(runIdOf(second)).toBe(runIdOf(first));
});
