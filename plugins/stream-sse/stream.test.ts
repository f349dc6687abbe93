import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { frameText } from './frames.ts';
import { EventStream, type EventStreamOptions } from './stream.ts';
import { chunks as chunkMode, debug, serialised, updates } from './testing.ts';

function event(sequence: number, type: RunEventDoc['type'] = 'node.completed'): RunEventDoc {
  return {
    eventId: `r.${sequence}`,
    runId: 'r',
    type,
    payload: { text: 'line\nbreak', nodeId: 'n' },
    timestamp: '2026-01-02T03:04:05.678Z',
    sequence,
  };
}

/** A follower the test feeds; counts how often it was asked for more. */
function feed() {
  const queue: (readonly RunEventDoc[])[] = [];
  let wake = () => {};
  let ended = false;
  const state = { pulls: 0, closed: false };
  const follow: EventStreamOptions['follow'] = async function* (signal) {
    signal.addEventListener('abort', () => wake());
    try {
      for (;;) {
        state.pulls++;
        while (queue.length === 0 && !ended && !signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const batch = queue.shift();
        if (!batch || signal.aborted) return;
        yield batch;
      }
    } finally {
      state.closed = true;
    }
  };
  return {
    state,
    follow,
    push: (...events: RunEventDoc[]) => {
      queue.push(events);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
  };
}

const OPTIONS = {
  modes: [debug],
  keepAliveMs: 15_000,
  retryMs: 2_000,
  bufferMs: 0,
  signal: new AbortController().signal,
};

function open(options: Partial<EventStreamOptions> & Pick<EventStreamOptions, 'follow'>) {
  const stream = new EventStream({ ...OPTIONS, ...options });
  const chunks = stream.chunks();
  return {
    stream,
    next: async () => (await chunks.next()).value,
    close: () => chunks.return(),
    rest: async () => {
      let text = '';
      for await (const chunk of chunks) text += chunk;
      return text;
    },
  };
}

const idsIn = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

afterEach(() => {
  vi.useRealTimers();
});

describe('a stream', () => {
  test('starts with the retry hint, sends each event as one frame, ends with its source', async () => {
    const source = feed();
    const { next, rest } = open({ follow: source.follow });
    expect(await next()).toBe('retry: 2000\n\n');
    const first = event(0, 'run.started');
    source.push(first, event(1));
    expect(await next()).toBe(
      `id: 0\nevent: run.started\ndata: ${JSON.stringify(first)}\n\nid: 1\nevent: node.completed\ndata: ${JSON.stringify(event(1))}\n\n`,
    );
    source.push(event(2, 'run.completed'));
    source.end();
    expect(idsIn(await rest())).toEqual([2]);
    expect(source.state.closed).toBe(true);
  });

  test('asks for no more events before the reader took the last ones', async () => {
    const source = feed();
    const { next, close } = open({ follow: source.follow });
    await next();
    for (let i = 0; i < 5; i++) source.push(event(i));
    expect(idsIn((await next()) ?? '')).toEqual([0]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.state.pulls).toBe(1);
    expect(idsIn((await next()) ?? '')).toEqual([1]);
    expect(source.state.pulls).toBe(2);
    await close();
    expect(source.state.closed).toBe(true);
  });

  test('sends nothing for events its modes do not show, and one frame when several modes do', async () => {
    const source = feed();
    const { next, rest } = open({ follow: source.follow, modes: [updates] });
    await next();
    source.push(event(0, 'run.started'), event(1, 'node.started'), event(2));
    expect(idsIn((await next()) ?? '')).toEqual([0, 2]);
    source.end();
    expect(await rest()).toBe('');

    const mixed = [event(0, 'run.started'), event(1, 'node.started')].map((each) =>
      frameText(each, [updates, debug]),
    );
    expect(mixed.flatMap(idsIn)).toEqual([0, 1]);
  });

  test('passes the failure of its source on', async () => {
    const { next, rest } = open({
      // biome-ignore lint/correctness/useYield: it fails before it has anything
      follow: async function* () {
        throw new Error('the store is gone');
      },
    });
    await next();
    await expect(rest()).rejects.toThrow('the store is gone');
  });

  test('lets its source go when the client has gone', async () => {
    const source = feed();
    const client = new AbortController();
    const { next, rest } = open({ follow: source.follow, signal: client.signal });
    await next();
    const end = rest();
    client.abort();
    expect(await end).toBe('');
    expect(source.state.closed).toBe(true);
  });

  test('says goodbye when the host stops', async () => {
    const source = feed();
    const { stream, next, rest } = open({ follow: source.follow });
    await next();
    const end = rest();
    stream.end();
    expect(await end).toMatch(/^: [^\n]+\n\n$/);
    expect(source.state.closed).toBe(true);
  });

  test('sends a comment at least every keepAliveMs, also between events', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const source = feed();
    const { next, close } = open({ follow: source.follow, keepAliveMs: 30_000 });
    await next();
    for (let i = 0; i < 3; i++) {
      const comment = next();
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await comment).toBe(':keepalive\n\n');
    }
    vi.advanceTimersByTime(30_000);
    source.push(event(0));
    const both = `${await next()}${await next()}`;
    expect(both).toContain(':keepalive\n\n');
    expect(idsIn(both)).toEqual([0]);
    await close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('batching', () => {
  const batches = (text: string) =>
    [...text.matchAll(/^id: (\d+)\nevent: batch\ndata: (.*)$/gm)].map(([, id, data]) => ({
      id: Number(id),
      sequences: (JSON.parse(data ?? '') as RunEventDoc[]).map(({ sequence }) => sequence),
    }));

  test('collects until the window is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const source = feed();
    const { next, close } = open({ follow: source.follow, bufferMs: 1_000 });
    await next();
    const batch = next();
    for (const sequence of [0, 1, 2]) {
      source.push(event(sequence));
      await vi.advanceTimersByTimeAsync(300);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect(batches((await batch) ?? '')).toEqual([{ id: 2, sequences: [0, 1, 2] }]);
    const second = next();
    source.push(event(3));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(batches((await second) ?? '')).toEqual([{ id: 3, sequences: [3] }]);
    await close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(['run.completed', 'run.failed', 'run.cancelled', 'node.suspended'] as const)(
    '%s does not wait for the window',
    async (type) => {
      const source = feed();
      const { next, close } = open({ follow: source.follow, bufferMs: 5_000, modes: [updates] });
      await next();
      source.push(event(0, 'node.started'), event(1), event(2, type));
      expect(batches((await next()) ?? '')).toEqual([{ id: 2, sequences: [1, 2] }]);
      await close();
    },
  );

  test('what was collected is sent before the stream ends', async () => {
    const source = feed();
    const { stream, next, rest } = open({ follow: source.follow, bufferMs: 5_000 });
    await next();
    const end = rest();
    source.push(event(0));
    await new Promise((resolve) => setImmediate(resolve));
    stream.end();
    expect(batches(await end)).toEqual([{ id: 0, sequences: [0] }]);
  });

  test('a window never holds more than a page or two of events', async () => {
    const source = feed();
    const { next, close } = open({ follow: source.follow, bufferMs: 5_000 });
    await next();
    source.push(...Array.from({ length: 600 }, (_, i) => event(i)));
    source.push(...Array.from({ length: 600 }, (_, i) => event(600 + i)));
    expect(batches((await next()) ?? '')[0]?.sequences).toHaveLength(1_200);
    await close();
  });

  test('modes whose data is no event are not batched', async () => {
    const source = feed();
    const { next, close } = open({ follow: source.follow, bufferMs: 5_000, modes: [chunkMode, debug] });
    await next();
    source.push(event(0));
    expect(await next()).toBe('id: 0\nevent: chunk\ndata: "x"\n\n');
    await close();
  });
});

test('an event is serialised once per mode for all subscribers', () => {
  const shared = event(7);
  const before = serialised.count;
  const texts = [1, 2, 3].flatMap(() => [frameText(shared, [debug]), frameText(shared, [updates])]);
  expect(new Set(texts).size).toBe(1);
  expect(serialised.count - before).toBe(2);
});
