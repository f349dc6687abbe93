/** The stream that leaves nothing out, alone and among other subscribers. */
import { expect } from 'vitest';
import { requirement, shared } from '../harness.ts';
import { host } from '../host.ts';
import { eventLog, type RunEvent, runPath, runToEnd, start } from '../runs.ts';
import { type Recording, record } from '../sse.ts';

const debug = (runId: string) => `${runPath(runId)}/events?streamMode=debug`;
const eventsIn = ({ frames }: Recording) => frames.map(({ data }) => JSON.parse(data) as RunEvent);

const SUBSCRIBERS = 20;

requirement('stream.debug.complete', 'debug equals the log, event by event', async () => {
  for (const id of ['conformance-noop', 'conformance-multi-node', 'conformance-failure'] as const) {
    const { runId, events } = await runToEnd(id);
    expect(eventsIn(await record(host, debug(runId)))).toEqual(events);
  }
});

requirement('event.surfaces-agree', 'a live debug stream and the later poll give the same list', async () => {
  const runId = await start('conformance-delay', { inputs: { delayMs: 500 } });
  const stream = await record(host, debug(runId));
  expect(stream.endedBy).toBe('host');
  expect(eventsIn(stream)).toEqual(await eventLog(runId));
});

requirement('stream.resume', 'from every event on, the rest of the log follows', async () => {
  const { runId, events } = await runToEnd('conformance-multi-node');
  const streams = await Promise.all(
    events.map(({ sequence }) =>
      record(host, debug(runId), { headers: { 'last-event-id': String(sequence) } }),
    ),
  );
  for (const [index, stream] of streams.entries()) expect(eventsIn(stream)).toEqual(events.slice(index + 1));
});

requirement('stream.live', 'a client that reconnects during the run misses and repeats nothing', async () => {
  const runId = await start('conformance-delay', { inputs: { delayMs: 1000 } });
  const before = await record(host, debug(runId), { until: ({ frames }) => frames.length >= 2 });
  const last = before.frames.at(-1)?.id ?? '';
  const after = await record(host, debug(runId), { headers: { 'last-event-id': last } });
  const seen = [...eventsIn(before), ...eventsIn(after)];
  expect(seen).toEqual(await eventLog(runId));
});

const crowd = shared(async () => {
  const runId = await start('conformance-delay', { inputs: { delayMs: 800 } });
  const modes = Array.from({ length: SUBSCRIBERS }, (_, index) => (index % 2 === 0 ? 'debug' : 'updates'));
  const streams = await Promise.all(
    modes.map(async (mode) => ({
      mode,
      stream: await record(host, `${runPath(runId)}/events?streamMode=${mode}`),
    })),
  );
  return { streams, log: await eventLog(runId) };
});

requirement(
  'stream.subscribers',
  `${SUBSCRIBERS} subscribers of two modes each get all of theirs`,
  async () => {
    const { streams, log } = await crowd();
    const updates = log.filter(({ type }) => type !== 'node.started');
    for (const { mode, stream } of streams) {
      expect(stream.endedBy).toBe('host');
      if (mode === 'debug') expect(eventsIn(stream)).toEqual(log);
      else expect(updates).toEqual(expect.arrayContaining(eventsIn(stream)));
    }
    const sizes = new Set(
      streams.filter(({ mode }) => mode === 'updates').map(({ stream }) => stream.frames.length),
    );
    expect(sizes.size, 'different numbers of updates').toBe(1);
  },
);
