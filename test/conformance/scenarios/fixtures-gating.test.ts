/** The list of fixtures is a promise: what is on it can be started, what is not on it is not there. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { FIXTURES } from '../fixtures.ts';
import { notClaimed, requirement } from '../harness.ts';
import { advertisedFixtures, discovery, host } from '../host.ts';
import { runIdOf, runPath } from '../runs.ts';

/** Enough inputs for every fixture; undeclared ones are tolerated. */
const INPUTS = { payload: { value: 1 }, nonce: 'gating', delayMs: 10 };

requirement('fixture.list', 'fixtures has unique non-empty strings', async () => {
  const { fixtures } = await discovery();
  if (fixtures === undefined) notClaimed('no fixtures are advertised');
  if (!Array.isArray(fixtures)) throw new Error('fixtures is not a list.');
  for (const id of fixtures) expect(id).toEqual(expect.stringMatching(/./));
  expect(new Set(fixtures).size).toBe(fixtures.length);
});

requirement('fixture.runnable', 'each advertised fixture is accepted by POST /v1/runs', async () => {
  const ids = await advertisedFixtures();
  if (ids.length === 0) notClaimed('no fixtures are advertised');
  for (const workflowId of ids) {
    const answer = await host.post('/v1/runs', { workflowId, inputs: INPUTS });
    expect(answer.status, `${workflowId}: ${answer.text.slice(0, 200)}`).toBe(201);
    // Some of them wait for people who will not come.
    await host.post(`${runPath(runIdOf(answer))}/cancel`, {});
  }
});

requirement('fixture.honest', 'fixtures that are not advertised are unknown workflows', async () => {
  const offered = await advertisedFixtures();
  const missing = ['conformance-not-a-fixture', ...Object.keys(FIXTURES)].filter(
    (id) => !offered.includes(id),
  );
  for (const workflowId of missing) {
    const answer = await host.post('/v1/runs', { workflowId, inputs: INPUTS });
    expectRefusal(answer, { status: 400, code: 'validation_error' });
  }
});
