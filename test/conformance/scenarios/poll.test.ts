/** Reading the log without a stream: long polls, and the whole log as JSON. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { requirement, shared } from '../harness.ts';
import { host, UNKNOWN_ID } from '../host.ts';
import {
  eventLog,
  pageOf,
  runPath,
  runToEnd,
  start,
  typesOf,
  waitForStatus,
  waitForTerminal,
} from '../runs.ts';

const finished = shared(() => runToEnd('conformance-multi-node'));
const poll = async (runId: string, query = '') =>
  pageOf(await host.get(`${runPath(runId)}/events/poll${query}`, { timeoutMs: 40_000 }));

/** A run in the middle of a delay, and the sequence of its latest event. */
async function waiting(delayMs: number): Promise<{ runId: string; latest: number }> {
  const runId = await start('conformance-cancellable', { inputs: { delayMs } });
  await waitForStatus(runId, ['running'], 5000);
  let events = await eventLog(runId);
  while (!typesOf(events).includes('node.started')) events = await eventLog(runId);
  return { runId, latest: events.at(-1)?.sequence ?? 0 };
}

async function timed<T>(work: Promise<T>): Promise<{ result: T; elapsedMs: number }> {
  const startedAt = performance.now();
  return { result: await work, elapsedMs: performance.now() - startedAt };
}

requirement('poll.shape', 'events and isComplete, and nothing else is needed', async () => {
  const { events, isComplete } = await poll((await finished()).runId);
  expect(events.length).toBeGreaterThan(0);
  expect(isComplete).toBe(true);
});

requirement('poll.exclusive', 'without lastSequence the first event is number 0', async () => {
  expect((await poll((await finished()).runId)).events[0]?.sequence).toBe(0);
});

requirement('poll.exclusive', 'lastSequence=n starts with n + 1, for every n', async () => {
  const { runId, events } = await finished();
  for (const { sequence } of events) {
    const page = await poll(runId, `?lastSequence=${sequence}`);
    expect(page.events).toEqual(events.slice(sequence + 1));
  }
});

requirement('poll.past-end', 'lastSequence=99999 is 200 with no events', async () => {
  const page = await poll((await finished()).runId, '?lastSequence=99999&timeout=5');
  expect(page).toEqual({ events: [], isComplete: true });
});

requirement('poll.terminal', 'a finished run is answered at once, whatever the timeout', async () => {
  const { runId, events } = await finished();
  const last = events.at(-1)?.sequence;
  const { result, elapsedMs } = await timed(poll(runId, `?lastSequence=${last}&timeout=10`));
  expect(result.isComplete).toBe(true);
  expect(elapsedMs).toBeLessThan(2000);
});

requirement('event.repeatable', 'two polls of a finished run are identical', async () => {
  const { runId } = await finished();
  expect(await poll(runId)).toEqual(await poll(runId));
});

requirement('poll.waits', 'without news a poll of one second takes about one second', async () => {
  const { runId, latest } = await waiting(10_000);
  const { result, elapsedMs } = await timed(poll(runId, `?lastSequence=${latest}&timeout=1`));
  await host.post(`${runPath(runId)}/cancel`, {});
  expect(result).toEqual({ events: [], isComplete: false });
  expect(elapsedMs).toBeGreaterThan(800);
  expect(elapsedMs).toBeLessThan(3000);
});

requirement('poll.wakes', 'a poll of thirty seconds answers when the delay is over', async () => {
  const { runId, latest } = await waiting(1500);
  const { result, elapsedMs } = await timed(poll(runId, `?lastSequence=${latest}&timeout=30`));
  expect(result.events.length).toBeGreaterThan(0);
  expect(result.events[0]?.sequence).toBe(latest + 1);
  expect(elapsedMs).toBeLessThan(6000);
});

requirement('poll.wakes', 'a cancel wakes the poll', async () => {
  const { runId, latest } = await waiting(30_000);
  const pending = timed(poll(runId, `?lastSequence=${latest}&timeout=30`));
  await host.post(`${runPath(runId)}/cancel`, {});
  const { result, elapsedMs } = await pending;
  expect(result.events.length).toBeGreaterThan(0);
  expect(elapsedMs).toBeLessThan(6000);
  expect((await waitForTerminal(runId)).status).toBe('cancelled');
});

requirement('poll.unfiltered', 'node.started is there', async () => {
  expect(typesOf((await poll((await finished()).runId)).events)).toContain('node.started');
});

for (const query of [
  'lastSequence=-1',
  'lastSequence=abc',
  'lastSequence=1.5',
  'timeout=0',
  'timeout=61',
  'timeout=-5',
  'timeout=x',
]) {
  requirement('poll.parameters', `${query} is 400 validation_error`, async () => {
    const answer = await host.get(`${runPath((await finished()).runId)}/events/poll?${query}`);
    expectRefusal(answer, { status: 400, code: 'validation_error' });
  });
}

requirement('poll.unknown-run', 'an unknown run is 404 or 403, at once', async () => {
  const { result, elapsedMs } = await timed(host.get(`${runPath(UNKNOWN_ID)}/events/poll`));
  expectRefusal(result, { status: [403, 404] });
  expect(elapsedMs).toBeLessThan(2000);
});

requirement('poll.json-by-accept', 'GET /events with Accept: application/json is the whole log', async () => {
  const { runId, events } = await finished();
  const headers = { accept: 'application/json' };
  expect(pageOf(await host.get(`${runPath(runId)}/events`, { headers }))).toEqual({
    events,
    isComplete: true,
  });
});

requirement('poll.json-by-accept', 'and of a live run it answers at once', async () => {
  const { runId, latest } = await waiting(10_000);
  const headers = { accept: 'application/json' };
  const { result, elapsedMs } = await timed(host.get(`${runPath(runId)}/events`, { headers }));
  await host.post(`${runPath(runId)}/cancel`, {});
  expect(pageOf(result).events.at(-1)?.sequence).toBe(latest);
  expect(pageOf(result).isComplete).toBe(false);
  expect(elapsedMs).toBeLessThan(2000);
});
