import { connect } from 'node:net';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENT_TIERS, type RunEventType } from '../../schemas/event-types.ts';
import { EventPage } from '../../schemas/poll.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { eventually } from '../../test/support/eventually.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';

const NOOP = 'conformance-noop';
const SLOW = 'conformance-cancellable';
const STEPS = 'with-a-pause';

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr();
  const noop = { typeId: 'core.noop' };
  const pause = { typeId: 'core.delay', config: { delayMs: 150 } };
  const registered = await wopr.post('/v1/workflows', chain(STEPS, [noop, noop, pause, noop, pause, noop]));
  expect(registered.status).toBe(201);
});
afterAll(() => wopr.stop());

interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: RunEventDoc;
}

function frames(text: string): Frame[] {
  return [...text.matchAll(/^id: (\d+)\nevent: (\S+)\ndata: (.*)\n\n/gm)].map(([, id, event, data]) => ({
    id: Number(id),
    event: event ?? '',
    data: JSON.parse(data ?? ''),
  }));
}

const stream = (runId: string, query = '', headers: Record<string, string> = {}) =>
  wopr.ask(`/v1/runs/${runId}/events${query}`, { headers });

const log = async (runId: string): Promise<RunEventDoc[]> =>
  (await stream(runId, '', { accept: 'application/json' })).json.events;

describe('GET /v1/runs/{runId}/events', () => {
  test('sends backlog and live events without gap or repeat, then closes', async () => {
    const runId = await wopr.run(STEPS);
    const { status, headers, text } = await stream(runId, '?streamMode=debug');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(text).toMatch(/^retry: \d+\n\n/);
    const events = await log(runId);
    expect(frames(text).map(({ data }) => data)).toEqual(events);
    expect(frames(text).every(({ id, event, data }) => id === data.sequence && event === data.type)).toBe(
      true,
    );
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)?.type).toBe('run.completed');
  });

  test('updates, the default, leaves out what is no update', async () => {
    const runId = await wopr.run(NOOP);
    await wopr.finished(runId);
    const expected = (await log(runId)).filter(({ type }) =>
      EVENT_TIERS[type as RunEventType].includes('updates'),
    );
    for (const query of ['', '?streamMode=updates'])
      expect(frames((await stream(runId, query)).text).map(({ data }) => data)).toEqual(expected);
    const mixed = frames((await stream(runId, '?streamMode=updates,debug')).text);
    expect(mixed.map(({ data }) => data)).toEqual(await log(runId));
  });

  test.each(['values', 'messages', 'all', 'updates,all', ''])(
    'streamMode=%s is not offered',
    async (mode) => {
      const runId = await wopr.run(NOOP);
      for (const accept of ['text/event-stream', 'application/json']) {
        const { status, json } = await stream(runId, `?streamMode=${mode}`, { accept });
        expect(status).toBe(400);
        expect(json).toMatchObject({
          error: 'unsupported_stream_mode',
          details: { supported: ['updates', 'debug'] },
        });
      }
    },
  );

  test.each(['5001', '-1', 'x', '1.5'])('bufferMs=%s is refused', async (value) => {
    const { status, json } = await stream(await wopr.run(NOOP), `?bufferMs=${value}`);
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });

  test('continues after Last-Event-ID, live and finished', async () => {
    const runId = await wopr.run(STEPS);
    const live = frames((await stream(runId, '?streamMode=debug', { 'last-event-id': '1' })).text);
    const events = await log(runId);
    expect(live.map(({ id }) => id)).toEqual(events.slice(2).map(({ sequence }) => sequence));
    const last = events.length - 1;
    const resumed = async (id: string) =>
      frames((await stream(runId, '?streamMode=debug', { 'last-event-id': id })).text).map(
        (frame) => frame.id,
      );
    expect(await resumed(String(last - 1))).toEqual([last]);
    expect(await resumed(String(last))).toEqual([]);
    expect(await resumed('999999')).toEqual([]);
    expect(await resumed(`${runId}.${last - 1}`)).toEqual([last]);
    expect(await resumed('unknown')).toHaveLength(events.length);
  });

  test('beyond the end of a live run means its tail', async () => {
    const runId = await wopr.run(SLOW);
    const before = (await log(runId)).length;
    const tail = stream(runId, '?streamMode=debug', { 'last-event-id': '999999' });
    await wopr.post(`/v1/runs/${runId}/cancel`);
    const ids = frames((await tail).text).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(before - 1);
    expect((await log(runId)).at(-1)?.sequence).toBe(Math.max(...ids));
  });

  test('in batches no event is lost, and the end does not wait for the window', async () => {
    const runId = await wopr.run(STEPS);
    const started = performance.now();
    const { text } = await stream(runId, '?streamMode=debug&bufferMs=4000');
    expect(performance.now() - started).toBeLessThan(3_500);
    const batches = frames(text) as unknown as { id: number; event: string; data: RunEventDoc[] }[];
    expect(new Set(batches.map(({ event }) => event))).toEqual(new Set(['batch']));
    expect(batches.every(({ id, data }) => id === data.at(-1)?.sequence)).toBe(true);
    expect(batches.flatMap(({ data }) => data)).toEqual(await log(runId));
  });

  test('sends keep-alive comments', async () => {
    const quick = await startWopr({ config: { 'plugins.stream-sse.config.keepAliveMs': 100 } });
    try {
      const runId = await quick.run('conformance-delay');
      const { text } = await quick.ask(`/v1/runs/${runId}/events`);
      expect(text).toContain('\n:keepalive\n\n');
      expect(frames(text).at(-1)?.event).toBe('run.completed');
    } finally {
      await quick.stop();
    }
  });
});

describe('as JSON', () => {
  test('is the whole log at once, even of a run that goes on', async () => {
    const runId = await wopr.run(SLOW);
    const { status, headers, json } = await stream(runId, '', { accept: 'application/json' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(compileSchema(EventPage)(json)).toBe(true);
    expect(json.isComplete).toBe(false);
    await wopr.post(`/v1/runs/${runId}/cancel`);
    await wopr.finished(runId);
    expect((await stream(runId, '', { accept: 'application/json' })).json).toMatchObject({
      isComplete: true,
    });
  });

  test('is complete for logs longer than a page', async () => {
    const many = await startWopr({ config: { 'engine.maxNodeExecutions': 2_000 } });
    try {
      const nodes = Array.from({ length: 700 }, () => ({ typeId: 'core.noop' }));
      const registered = await many.post('/v1/workflows', chain('long', nodes));
      expect(registered.status).toBe(201);
      const runId = await many.run('long');
      await many.finished(runId);
      const { json } = await many.ask(`/v1/runs/${runId}/events`, {
        headers: { accept: 'application/json' },
      });
      expect(compileSchema(EventPage)(json)).toBe(true);
      expect(json.isComplete).toBe(true);
      expect(json.events.map((event: RunEventDoc) => event.sequence)).toEqual(
        json.events.map((_: unknown, i: number) => i),
      );
      expect(json.events).toHaveLength(1_402);
    } finally {
      await many.stop();
    }
  });
});

describe('many and slow readers', () => {
  test('500 subscribers of one run all get every event in order', async () => {
    const runId = await wopr.run(STEPS);
    const all = await Promise.all(Array.from({ length: 500 }, () => stream(runId, '?streamMode=debug')));
    const expected = (await log(runId)).map(({ sequence }) => sequence);
    for (const { text } of all) {
      const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
      expect(ids).toEqual(expected);
    }
  });

  test('beyond maxStreams further ones are refused, until one has gone', async () => {
    const small = await startWopr({ config: { 'plugins.stream-sse.config.maxStreams': 1 } });
    try {
      const runId = await small.run(SLOW);
      const url = `${small.base}/v1/runs/${runId}/events`;
      const first = await request(url, { headers: { authorization: 'Bearer live' } });
      expect(first.statusCode).toBe(200);
      const refused = await small.ask(`/v1/runs/${runId}/events`);
      expect(refused).toMatchObject({
        status: 429,
        json: { error: 'rate_limited', details: { scope: 'global' } },
      });
      expect(refused.headers['retry-after']).toBe('5');
      first.body.on('error', () => {}).destroy();
      await eventually(async () => {
        const again = await request(url, { headers: { authorization: 'Bearer live' } });
        again.body.on('error', () => {}).destroy();
        return again.statusCode;
      }).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('a reader that stops reading does not hold the events in memory', async () => {
    // 90 events of 200 kB: more than the sockets' buffers take.
    const copy = { typeId: 'core.identity', inputs: { payload: { type: 'variable', variableName: 'text' } } };
    const nodes = Array.from({ length: 90 }, () => copy);
    const registered = await wopr.post('/v1/workflows', chain('big', nodes));
    expect(registered.status).toBe(201);
    const runId = await wopr.run('big', { inputs: { text: 'x'.repeat(200_000) } });
    await wopr.finished(runId);
    const { hostname, port } = new URL(wopr.base);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write(
      `GET /v1/runs/${runId}/events?streamMode=debug HTTP/1.1\r\nhost: x\r\nauthorization: Bearer live\r\nconnection: close\r\n\r\n`,
    );
    await eventually(() => openStreams(wopr)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // Not everything was written: the stream is still open although the run has ended.
    expect(openStreams(wopr)).toBe(1);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += chunk;
    });
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(received).toContain('event: run.completed');
    await eventually(() => openStreams(wopr)).toBe(0);
  });
});

test('streams end with a comment when the host stops, and none is left', async () => {
  const stopping = await startWopr();
  const runId = await stopping.run(SLOW);
  const open = [1, 2, 3].map(() => stopping.ask(`/v1/runs/${runId}/events`));
  await eventually(() => openStreams(stopping)).toBe(3);
  await stopping.stop();
  for (const { status, text } of await Promise.all(open)) {
    expect(status).toBe(200);
    expect(text).toMatch(/\n: the host is stopping[^\n]*\n\n$/);
  }
  expect(stopping.kernel.plugins.effects()).toEqual([]);
});

function openStreams(host: TestWopr): number | undefined {
  const metric = host.kernel.extensions.list('metrics').find(({ id }) => id === 'wopr_event_streams');
  return metric?.value.collect()[0]?.value;
}
