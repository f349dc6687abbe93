/** Stopping a run: promptly, once, and for good. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectContiguous, expectRefusal, expectSingleEnd } from '../checks.ts';
import { requirement, shared } from '../harness.ts';
import { host, UNKNOWN_ID } from '../host.ts';
import {
  eventLog,
  ofType,
  runPath,
  runToEnd,
  start,
  typesOf,
  waitForStatus,
  waitForTerminal,
} from '../runs.ts';

const IN_TIME_MS = 5000;
const REASON = 'stopped by the conformance suite';

async function runningRun(): Promise<string> {
  const runId = await start('conformance-cancellable');
  await waitForStatus(runId, ['running'], IN_TIME_MS);
  return runId;
}

const cancelled = shared(async () => {
  const runId = await runningRun();
  const startedAt = performance.now();
  const answer = await host.post(`${runPath(runId)}/cancel`, { reason: REASON });
  const snapshot = await waitForTerminal(runId, 2 * IN_TIME_MS);
  const elapsedMs = performance.now() - startedAt;
  return { runId, answer, snapshot, elapsedMs, events: await eventLog(runId) };
});

requirement('run.cancel.answer', '200 with the runId and cancelled or cancelling', async () => {
  const { answer, runId } = await cancelled();
  expect(answer.status).toBe(200);
  expect(answer.object.runId).toBe(runId);
  expect(['cancelled', 'cancelling']).toContain(answer.object.status);
});

requirement('run.cancel.in-time', 'the run is cancelled within five seconds', async () => {
  const { snapshot, elapsedMs } = await cancelled();
  expect(snapshot.status).toBe('cancelled');
  expect(elapsedMs).toBeLessThan(IN_TIME_MS);
});

requirement('run.cancel.events', 'run.cancelled ends the log and nothing completed', async () => {
  const { events } = await cancelled();
  expectContiguous(events);
  expectSingleEnd(events, 'run.cancelled');
  expect(typesOf(events)).not.toContain('node.completed');
});

requirement('run.cancel.node-event', 'node.cancelled is there for the waiting node', async () => {
  expect(ofType((await cancelled()).events, 'node.cancelled').map(({ nodeId }) => nodeId)).toEqual(['wait']);
});

requirement('run.cancel.reason', 'run.cancelled has the reason', async () => {
  const [event] = ofType((await cancelled()).events, 'run.cancelled');
  expect(event?.payload.reason).toBe(REASON);
});

requirement('run.cancel.final', 'a cancelled delay appends nothing when its time comes', async () => {
  const runId = await start('conformance-cancellable', { inputs: { delayMs: 1000 } });
  await waitForStatus(runId, ['running'], IN_TIME_MS);
  await host.post(`${runPath(runId)}/cancel`, {});
  expect((await waitForTerminal(runId)).status).toBe('cancelled');
  const before = await eventLog(runId);
  await sleep(1300);
  expect(await eventLog(runId)).toEqual(before);
});

requirement('run.cancel.terminal', 'cancelling a completed run is 200 completed', async () => {
  const { runId, events } = await runToEnd('conformance-noop');
  const answer = await host.post(`${runPath(runId)}/cancel`, {});
  expect(answer.status).toBe(200);
  expect(answer.object).toEqual(expect.objectContaining({ runId, status: 'completed' }));
  expect(await eventLog(runId)).toEqual(events);
});

requirement('run.cancel.terminal', 'cancelling a cancelled run is 200 cancelled', async () => {
  const { runId, events } = await cancelled();
  const answer = await host.post(`${runPath(runId)}/cancel`, {});
  expect(answer.status).toBe(200);
  expect(answer.object).toEqual(expect.objectContaining({ runId, status: 'cancelled' }));
  expect(await eventLog(runId)).toEqual(events);
});

requirement('run.cancel.unknown', 'cancelling an unknown run is 404 or 403', async () => {
  expectRefusal(await host.post(`${runPath(UNKNOWN_ID)}/cancel`, {}), { status: [403, 404] });
});

requirement('run.cancel.no-body', 'a cancel without body is 200', async () => {
  const runId = await runningRun();
  const answer = await host.post(`${runPath(runId)}/cancel`);
  expect(answer.status, answer.text.slice(0, 200)).toBe(200);
  expect((await waitForTerminal(runId)).status).toBe('cancelled');
});

requirement('run.cancel.once', 'ten cancels at once give one run.cancelled', async () => {
  const runId = await runningRun();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => host.post(`${runPath(runId)}/cancel`, {})),
  );
  for (const { status } of answers) expect(status).toBe(200);
  await waitForTerminal(runId);
  expectSingleEnd(await eventLog(runId), 'run.cancelled');
});

requirement('run.cancel.alias', 'POST /v1/runs/{runId}:cancel is 200', async () => {
  const runId = await runningRun();
  expect((await host.post(`${runPath(runId)}:cancel`, {})).status).toBe(200);
  expect((await waitForTerminal(runId)).status).toBe('cancelled');
});
