import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventPage } from '../../schemas/poll.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { eventually } from '../../test/support/eventually.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';

const NOOP = 'conformance-noop';
const SLOW = 'conformance-cancellable';

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr({
    config: { 'engine.maxNodeExecutions': 2_000, 'plugins.long-poll.config.maxWaiting': 2 },
  });
});
afterAll(() => wopr.stop());

const poll = (runId: string, query = '') => wopr.ask(`/v1/runs/${runId}/events/poll${query}`);
const sequences = (page: { events: RunEventDoc[] }) => page.events.map(({ sequence }) => sequence);
const waitingPolls = (host: TestWopr) =>
  host.kernel.extensions
    .list('metrics')
    .find(({ id }) => id === 'wopr_waiting_polls')
    ?.value.collect()[0]?.value;

/** A run that waits to be cancelled, and the last sequence of its log so far. */
async function waitingRun(): Promise<{ runId: string; last: number }> {
  const runId = await wopr.run(SLOW);
  await eventually(async () => sequences((await poll(runId)).json).length).toBeGreaterThan(1);
  return { runId, last: sequences((await poll(runId)).json).at(-1) ?? 0 };
}

describe('a finished run', () => {
  test('answers at once, the same every time, everything unfiltered', async () => {
    const runId = await wopr.run(NOOP);
    await wopr.finished(runId);
    const { status, json } = await poll(runId);
    expect(status).toBe(200);
    expect(compileSchema(EventPage)(json)).toBe(true);
    expect(json.isComplete).toBe(true);
    expect(sequences(json)).toEqual(json.events.map((_: unknown, i: number) => i));
    expect(json.events.map((event: RunEventDoc) => event.type)).toContain('node.started');
    expect((await poll(runId)).text).toBe((await poll(runId)).text);
  });

  test('lastSequence is exclusive; beyond the end there is nothing, at once', async () => {
    const runId = await wopr.run(NOOP);
    await wopr.finished(runId);
    const { json: all } = await poll(runId);
    const last = all.events.length - 1;
    expect(sequences((await poll(runId, '?lastSequence=0')).json)).toEqual(sequences(all).slice(1));
    const started = performance.now();
    for (const beyond of [last, last + 1, 999_999, 999_999_999_999_999]) {
      const { status, json } = await poll(runId, `?lastSequence=${beyond}&timeout=60`);
      expect({ status, json }).toEqual({ status: 200, json: { events: [], isComplete: true } });
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('a long log comes in pages that say whether more follows', async () => {
    const nodes = Array.from({ length: 700 }, () => ({ typeId: 'core.noop' }));
    expect((await wopr.post('/v1/workflows', chain('long', nodes))).status).toBe(201);
    const runId = await wopr.run('long');
    await wopr.finished(runId);
    const first = (await poll(runId)).json;
    expect({ length: first.events.length, isComplete: first.isComplete }).toEqual({
      length: 1_000,
      isComplete: false,
    });
    const second = (await poll(runId, '?lastSequence=999')).json;
    expect(second.isComplete).toBe(true);
    expect([...sequences(first), ...sequences(second)]).toEqual(Array.from({ length: 1_402 }, (_, i) => i));
  });
});

describe('a live run', () => {
  test('answers at once when there are events, without being complete', async () => {
    const { runId } = await waitingRun();
    const { json } = await poll(runId, '?timeout=60');
    expect(json.isComplete).toBe(false);
    expect(json.events[0].type).toBe('run.started');
    await wopr.post(`/v1/runs/${runId}/cancel`);
  });

  test('waits for what comes next', async () => {
    const { runId, last } = await waitingRun();
    const waiting = poll(runId, `?lastSequence=${last}&timeout=60`);
    await eventually(() => waitingPolls(wopr)).toBe(1);
    await wopr.post(`/v1/runs/${runId}/cancel`);
    const { json } = await waiting;
    expect(sequences(json)[0]).toBe(last + 1);
    await wopr.finished(runId);
    const { json: rest } = await poll(runId, `?lastSequence=${last}`);
    expect(rest.events.at(-1).type).toBe('run.cancelled');
    expect(rest.isComplete).toBe(true);
  });

  test('learns of the end even with a sequence the log never reaches', async () => {
    const { runId } = await waitingRun();
    const waiting = poll(runId, '?lastSequence=999999&timeout=60');
    await eventually(() => waitingPolls(wopr)).toBe(1);
    await wopr.post(`/v1/runs/${runId}/cancel`);
    expect((await waiting).json).toEqual({ events: [], isComplete: true });
  });

  test('answers empty when the time is over', async () => {
    const { runId, last } = await waitingRun();
    const started = performance.now();
    const { json } = await poll(runId, `?lastSequence=${last}&timeout=1`);
    expect(json).toEqual({ events: [], isComplete: false });
    expect(performance.now() - started).toBeGreaterThan(900);
    await wopr.post(`/v1/runs/${runId}/cancel`);
  });

  test('stops waiting when the client goes away, and refuses more than maxWaiting', async () => {
    const { runId, last } = await waitingRun();
    const clients = [new AbortController(), new AbortController()];
    const url = `${wopr.base}/v1/runs/${runId}/events/poll?lastSequence=${last}&timeout=60`;
    const pending = clients.map(({ signal }) =>
      request(url, { headers: { authorization: 'Bearer live' }, signal }).catch((error: Error) => error.name),
    );
    await eventually(() => waitingPolls(wopr)).toBe(2);
    const refused = await poll(runId, `?lastSequence=${last}`);
    expect(refused).toMatchObject({
      status: 429,
      json: { error: 'rate_limited' },
      headers: { 'retry-after': '5' },
    });
    for (const client of clients) client.abort();
    expect(await Promise.all(pending)).toEqual(['AbortError', 'AbortError']);
    await eventually(() => waitingPolls(wopr)).toBe(0);
    await wopr.post(`/v1/runs/${runId}/cancel`);
  });
});

test.each([
  'lastSequence=-1',
  'lastSequence=x',
  'lastSequence=1.5',
  'timeout=0',
  'timeout=61',
  'timeout=',
  'timeout=1e1',
  'lastSequence=1&lastSequence=2',
])('refuses %s', async (query) => {
  const { status, json } = await poll('run_any', `?${query}`);
  expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
});

test('a waiting poll is answered when the host stops', async () => {
  const stopping = await startWopr();
  const runId = await stopping.run(SLOW);
  await eventually(
    async () => (await stopping.ask(`/v1/runs/${runId}/events/poll`)).json.events.length,
  ).toBeGreaterThan(1);
  const last = (await stopping.ask(`/v1/runs/${runId}/events/poll`)).json.events.at(-1).sequence;
  const waiting = stopping.ask(`/v1/runs/${runId}/events/poll?lastSequence=${last}&timeout=60`);
  await eventually(() => waitingPolls(stopping)).toBe(1);
  await stopping.stop();
  expect((await waiting).json).toEqual({ events: [], isComplete: false });
});
