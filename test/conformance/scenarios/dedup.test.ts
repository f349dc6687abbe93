/** X-Dedup: at most one active run per scope. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import type { Answer } from '../client.ts';
import { requirement, shared } from '../harness.ts';
import { fixture, host } from '../host.ts';
import { runIdOf, runPath, waitForTerminal } from '../runs.ts';

async function create(
  scopeId: string | undefined,
  headers: Record<string, string> = { 'x-dedup': 'enforce' },
): Promise<Answer> {
  const workflowId = await fixture('conformance-cancellable');
  const inputs = { delayMs: 20_000 };
  return host.post(
    '/v1/runs',
    { workflowId, inputs, ...(scopeId === undefined ? {} : { scopeId }) },
    { headers },
  );
}

const cancel = async (runId: string) => {
  await host.post(`${runPath(runId)}/cancel`, {});
  await waitForTerminal(runId);
};

/** A second request for a scope whose run is active; and what happened around it. */
const collision = shared(async () => {
  const scopeId = randomUUID();
  const key = { 'x-dedup': 'enforce', 'idempotency-key': randomUUID() };
  const winner = runIdOf(await create(scopeId, key));
  const refused = await create(scopeId);
  const replay = await create(scopeId, key);
  const otherScope = await create(randomUUID());
  const noHeader = await create(scopeId, {});
  await Promise.all(
    [otherScope, noHeader].filter(({ status }) => status === 201).map((run) => cancel(runIdOf(run))),
  );
  await cancel(winner);
  return { scopeId, winner, refused, replay, otherScope, noHeader };
});

requirement(
  'dedup.collision',
  'the second request is 409 run_already_active and names the first run',
  async () => {
    const { refused, winner } = await collision();
    const { details } = expectRefusal(refused, { status: 409, code: 'run_already_active' });
    expect(details?.activeRunId).toBe(winner);
    expect(['browser', 'cloud']).toContain(details?.activeHost);
  },
);

requirement('dedup.retry-after', 'Retry-After is there and agrees with details', async () => {
  const { refused } = await collision();
  const { details } = expectRefusal(refused, { status: 409 });
  expect(refused.retryAfterSeconds).toBeTypeOf('number');
  if (details?.retryAfter !== undefined) expect(details.retryAfter).toBe(refused.retryAfterSeconds);
});

requirement('dedup.scope', 'another scope and a request without the header are accepted', async () => {
  const { otherScope, noHeader } = await collision();
  expect(otherScope.status).toBe(201);
  expect(noHeader.status).toBe(201);
});

requirement('dedup.keyed-replay', 'the retry of the winning request is replayed', async () => {
  const { replay, winner } = await collision();
  expect(runIdOf(replay)).toBe(winner);
});

requirement('dedup.release', 'after the run has ended the scope is free', async () => {
  const { scopeId } = await collision();
  let answer = await create(scopeId);
  for (let i = 0; i < 20 && answer.status === 409; i++) {
    await sleep(50);
    answer = await create(scopeId);
  }
  expect(answer.status, answer.text.slice(0, 200)).toBe(201);
  await cancel(runIdOf(answer));
});

requirement('dedup.header-value', 'X-Dedup: maybe is 400 validation_error', async () => {
  expectRefusal(await create(randomUUID(), { 'x-dedup': 'maybe' }), {
    status: 400,
    code: 'validation_error',
  });
});

requirement('dedup.header-value', 'enforce without scopeId is 400 validation_error', async () => {
  expectRefusal(await create(undefined), { status: 400, code: 'validation_error' });
});
