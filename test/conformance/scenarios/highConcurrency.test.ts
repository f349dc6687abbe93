/** A hundred runs at once: none lost, none mixed up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectContiguous, expectRefusal, expectSingleEnd } from '../checks.ts';
import type { Answer } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { fixture, host } from '../host.ts';
import { eventLog, ofType, runIdOf, waitForTerminal } from '../runs.ts';

const RUNS = 100;
const TRIES = 10;

/** Sends every request at once; those shed with 429 or 503 are sent again after the announced wait. */
async function burst(bodies: readonly unknown[]): Promise<{ accepted: Answer[]; shed: Answer[] }> {
  const shed: Answer[] = [];
  const accepted = await Promise.all(
    bodies.map(async (body) => {
      for (let tries = 1; ; tries++) {
        const answer = await host.post('/v1/runs', body, { patient: false });
        if ((answer.status !== 429 && answer.status !== 503) || tries === TRIES) return answer;
        shed.push(answer);
        await sleep((answer.retryAfterSeconds ?? 1) * 1000);
      }
    }),
  );
  return { accepted, shed };
}

const crowd = shared(async () => {
  const workflowId = await fixture('conformance-noop');
  const { accepted, shed } = await burst(Array.from({ length: RUNS }, () => ({ workflowId })));
  const runs = await Promise.all(
    accepted.map(async (answer) => {
      const runId = runIdOf(answer);
      return { runId, snapshot: await waitForTerminal(runId, 30_000), events: await eventLog(runId) };
    }),
  );
  return { runs, shed };
});

requirement('run.concurrent.accepted', `${RUNS} simultaneous requests give ${RUNS} runs`, async () => {
  const { runs } = await crowd();
  expect(new Set(runs.map(({ runId }) => runId)).size).toBe(RUNS);
});

requirement('run.concurrent.complete', 'each is completed', async () => {
  for (const { snapshot } of (await crowd()).runs) expect(snapshot.status).toBe('completed');
});

requirement('run.concurrent.isolated', 'each log is whole and its own', async () => {
  const seen = new Set<string>();
  for (const { runId, events } of (await crowd()).runs) {
    expectContiguous(events);
    expectSingleEnd(events, 'run.completed');
    for (const event of events) {
      expect(event.runId).toBe(runId);
      expect(seen.has(event.eventId), `eventId ${event.eventId} occurs twice`).toBe(false);
      seen.add(event.eventId);
    }
  }
});

requirement('run.concurrent.own-data', 'each of fifty identity runs gives back its own input', async () => {
  const workflowId = await fixture('conformance-identity');
  const payloads = Array.from({ length: 50 }, (_, index) => ({ index, text: `payload ${index}` }));
  const { accepted } = await burst(payloads.map((payload) => ({ workflowId, inputs: { payload } })));
  for (const [index, answer] of accepted.entries()) {
    const runId = runIdOf(answer);
    expect((await waitForTerminal(runId)).variables?.payload).toEqual(payloads[index]);
    const [echo] = ofType(await eventLog(runId), 'node.completed');
    expect(echo?.payload.outputs).toEqual(expect.objectContaining({ payload: payloads[index] }));
  }
});

requirement('http.shed.envelope', 'refusals under load are proper 429 or 503', async () => {
  const { shed } = await crowd();
  if (shed.length === 0) notClaimed('the host took the whole load');
  for (const answer of shed) {
    const code = answer.status === 429 ? 'rate_limited' : 'service_unavailable';
    expectRefusal(answer, { status: [429, 503], code });
    expect(answer.retryAfterSeconds, 'Retry-After').toBeTypeOf('number');
  }
});
