/** The default stream: what it carries, how it is framed, where it starts, how it ends. */
import { expect } from 'vitest';
import { expectRefusal, mediaType } from '../checks.ts';
import { Answer } from '../client.ts';
import { requirement, shared } from '../harness.ts';
import { host, UNKNOWN_ID } from '../host.ts';
import { type RunEvent, runPath, runToEnd, start, waitForTerminal } from '../runs.ts';
import { type Frame, type Recording, record } from '../sse.ts';

const KEEP_ALIVE_MS = 30_000;
const NOOP_UPDATES = ['run.started', 'node.completed', 'run.completed'];
const PLAIN_MODES = ['values', 'updates', 'messages', 'debug'];

const events = (runId: string, query = '') => `${runPath(runId)}/events${query}`;
const eventOf = (frame: Frame) => JSON.parse(frame.data) as RunEvent;
const eventNames = ({ frames }: Recording) => frames.map(({ event }) => event);

const noop = shared(() => runToEnd('conformance-noop'));
/** The default stream of a run that has ended. */
const afterwards = shared(async () => record(host, events((await noop()).runId)));
/** The default stream of a run while it goes on, with the time each frame took. */
const live = shared(async () => {
  const runId = await start('conformance-delay', { inputs: { delayMs: 1200 } });
  let firstFrameAt = Number.POSITIVE_INFINITY;
  const stream = await record(host, events(runId), {
    until: () => {
      firstFrameAt = Math.min(firstFrameAt, performance.now());
      return false;
    },
  });
  return { stream, leadMs: performance.now() - firstFrameAt };
});

requirement('stream.content-type', '200 text/event-stream', async () => {
  const { status, headers } = await afterwards();
  expect(status).toBe(200);
  expect(mediaType(headers)).toBe('text/event-stream');
});

requirement('stream.frame', 'id is the sequence, event the type, data the event', async () => {
  const logged = new Map((await noop()).events.map((event) => [String(event.sequence), event]));
  const { frames } = await afterwards();
  expect(frames.length).toBeGreaterThan(0);
  for (const frame of frames) {
    expect(frame.id).toMatch(/^\d+$/);
    const event = logged.get(frame.id ?? '');
    expect(frame.event).toBe(event?.type);
    expect(eventOf(frame)).toEqual(event);
  }
});

requirement('stream.updates.filter', 'a noop run is three events', async () => {
  expect(eventNames(await record(host, events((await noop()).runId, '?streamMode=updates')))).toEqual(
    NOOP_UPDATES,
  );
});

requirement('stream.updates.default', 'no streamMode gives the same frames as updates', async () => {
  const explicit = await record(host, events((await noop()).runId, '?streamMode=updates'));
  expect((await afterwards()).frames).toEqual(explicit.frames);
});

requirement('stream.updates.mixed', 'updates,debug sends each event once, in order', async () => {
  const { runId, events: log } = await noop();
  const stream = await record(host, events(runId, '?streamMode=updates,debug'));
  expect(stream.frames.map(({ id }) => Number(id))).toEqual(log.map(({ sequence }) => sequence));
});

requirement('stream.backlog', 'a stream opened after the end starts with run.started', async () => {
  expect((await afterwards()).frames[0]?.event).toBe('run.started');
});

requirement('stream.live', 'a stream opened during the run gives each event once, in order', async () => {
  expect(eventNames((await live()).stream)).toEqual(NOOP_UPDATES);
  const ids = (await live()).stream.frames.map(({ id }) => Number(id));
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
});

requirement('stream.prompt', 'run.started arrives long before the end of a delay', async () => {
  expect((await live()).leadMs).toBeGreaterThan(600);
});

requirement('stream.closes', 'the host closes both streams after the terminal event', async () => {
  for (const stream of [await afterwards(), (await live()).stream]) {
    expect(stream.endedBy).toBe('host');
    expect(stream.frames.at(-1)?.event).toBe('run.completed');
  }
});

requirement('stream.closes', 'a cancelled run closes its stream too', async () => {
  const runId = await start('conformance-cancellable');
  const cancel = () => void host.post(`${runPath(runId)}/cancel`, {});
  const stream = await record(host, events(runId), { onOpen: cancel });
  expect(stream.endedBy).toBe('host');
  expect(stream.frames.at(-1)?.event).toBe('run.cancelled');
});

requirement('stream.resume', 'Last-Event-ID continues with the next update', async () => {
  const all = (await afterwards()).frames;
  for (const [index, frame] of all.slice(0, -1).entries()) {
    const stream = await record(host, events((await noop()).runId), {
      headers: { 'last-event-id': frame.id ?? '' },
    });
    expect(stream.frames).toEqual(all.slice(index + 1));
    expect(stream.endedBy).toBe('host');
  }
});

requirement('stream.resume-at-end', 'the id of run.completed gives an empty stream that closes', async () => {
  const last = (await afterwards()).frames.at(-1)?.id ?? '';
  const stream = await record(host, events((await noop()).runId), {
    headers: { 'last-event-id': last },
    timeoutMs: 5000,
  });
  expect(stream.status).toBe(200);
  expect(stream.frames).toEqual([]);
  expect(stream.endedBy).toBe('host');
});

requirement('stream.unknown-run', 'an unknown run is 404 or 403', async () => {
  expectRefusal(answerOf(await record(host, events(UNKNOWN_ID))), { status: [403, 404] });
});

for (const mode of ['everything', 'updates,everything', 'updates,', 'Updates']) {
  requirement('stream.unsupported-mode', `streamMode=${mode} is 400 with details.supported`, async () => {
    const answer = answerOf(await record(host, events((await noop()).runId, `?streamMode=${mode}`)));
    const { details } = expectRefusal(answer, { status: 400, code: 'unsupported_stream_mode' });
    const supported = details?.supported;
    expect(supported).toEqual(expect.arrayContaining(['updates']));
    expect(PLAIN_MODES).toEqual(expect.arrayContaining(Array.isArray(supported) ? supported : []));
  });
}

requirement('stream.values-alone', 'values,updates is 400', async () => {
  const stream = await record(host, events((await noop()).runId, '?streamMode=values,updates'));
  expectRefusal(answerOf(stream), { status: 400 });
});

for (const value of ['5001', '-1', 'abc', '1.5']) {
  requirement('stream.buffer-bounds', `bufferMs=${value} is 400 validation_error`, async () => {
    const stream = await record(host, events((await noop()).runId, `?bufferMs=${value}`));
    expectRefusal(answerOf(stream), { status: 400, code: 'validation_error' });
  });
}

requirement('stream.all-modes', 'values, updates, messages and debug are 200', async () => {
  const { runId } = await noop();
  const streams = await Promise.all(
    PLAIN_MODES.map((mode) => record(host, events(runId, `?streamMode=${mode}`))),
  );
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

requirement('stream.trace-context', 'the answer carries a traceparent of the same trace', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  const stream = await record(host, events((await noop()).runId), { headers });
  expect(stream.headers.get('traceparent')).toContain(trace);
});

requirement(
  'stream.keep-alive',
  'a comment arrives within thirty seconds of silence',
  async () => {
    const runId = await start('conformance-cancellable', { inputs: { delayMs: 45_000 } });
    const startedAt = performance.now();
    const stream = await record(host, events(runId), {
      until: ({ comments, frames }) => comments.length > 0 && frames.length > 0,
      timeoutMs: KEEP_ALIVE_MS + 5000,
    });
    const elapsedMs = performance.now() - startedAt;
    await host.post(`${runPath(runId)}/cancel`, {});
    await waitForTerminal(runId);
    expect(stream.endedBy, 'no comment').toBe('reader');
    expect(elapsedMs).toBeLessThanOrEqual(KEEP_ALIVE_MS + 1000);
  },
  { timeoutMs: KEEP_ALIVE_MS + 20_000 },
);

/** A stream that was refused, as an ordinary answer. */
function answerOf({ status, headers, text }: Recording): Answer {
  return new Answer(status, headers, text);
}
