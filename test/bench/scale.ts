// What size costs: starting with many finished runs, keeping many waiting ones, serving many subscribers of one run.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import { openStore } from '../../kernel/log/index.ts';
import { ending, entries, newRun } from '../../kernel/log/testing.ts';
import { workflow } from '../faults/workflows.ts';
import { readStream } from '../support/sse-reader.ts';
import { median } from './closed-loop.ts';
import { HEADERS, ROOT, register, startHost, withTempDir } from './process.ts';
import { report } from './report.ts';
import type { WaitingResult } from './scale-waiting.ts';

const FINISHED_RUNS = 100_000;
const WAITING_RUNS = 10_000;
const SUBSCRIBERS = 1_000;
const STARTS = 7;
const PASSES = 50;
/** The test plugin whose node waits for a file. */
const PLUGIN = join(ROOT, 'test/support/plugin-slow');

/** True when all meet their targets. */
export async function benchScale(): Promise<boolean> {
  const results = [await benchStart(), await benchWaiting(), await benchSubscribers()];
  return results.every(Boolean);
}

/** Time until ready with a full store against an empty one, in turns. */
function benchStart(): Promise<boolean> {
  return withTempDir((empty) =>
    withTempDir(async (full) => {
      for (const dir of [empty, full]) await startAndStop(dir);
      await fill(join(full, 'wopr.sqlite'));
      const times: Record<'empty' | 'full', number[]> = { empty: [], full: [] };
      for (let count = 0; count < STARTS; count++) {
        times.empty.push(await startAndStop(empty));
        times.full.push(await startAndStop(full));
      }
      const [bare, filled] = [median(times.empty), median(times.full)];
      return report({
        name: `start with ${FINISHED_RUNS} finished runs`,
        value: filled / bare,
        atMost: 1.2,
        unit: 'x',
        detail: `ready after ${filled.toFixed(0)} ms, with an empty store after ${bare.toFixed(0)} ms`,
      });
    }),
  );
}

/** Milliseconds from starting the process until it is ready. */
async function startAndStop(dir: string): Promise<number> {
  const start = performance.now();
  const host = startHost(dir);
  await host.ready();
  const ms = performance.now() - start;
  await host.stop();
  return ms;
}

async function fill(path: string): Promise<void> {
  const store = openStore({ path, synchronous: 'NORMAL', logger: pino({ level: 'silent' }) });
  const batch = 1_000;
  for (let start = 0; start < FINISHED_RUNS; start += batch) {
    const ids = Array.from({ length: batch }, (_, index) => `run_${String(start + index).padStart(8, '0')}`);
    await Promise.all(ids.map((runId) => store.log.createRun(newRun(runId))));
    await Promise.all(
      ids.map((runId) => {
        const end = ending(runId, 3);
        return store.log.append({ ...end, entries: [...entries(runId, 1, 3), ...end.entries] });
      }),
    );
  }
  await store.close();
}

/** Memory of runs that wait for a timer, in a process of its own that can collect its garbage before it looks. */
async function benchWaiting(): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', join(ROOT, 'test/bench/scale-waiting.ts'), String(WAITING_RUNS)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { heapMegabytes, residentMegabytes, seconds } = (await json(child.stdout)) as WaitingResult;
  return report({
    name: `${WAITING_RUNS} waiting runs`,
    value: Math.max(heapMegabytes, residentMegabytes),
    atMost: 20,
    unit: 'MB',
    detail: `resident memory; heap and buffers ${heapMegabytes.toFixed(1)} MB; started in ${seconds.toFixed(1)} s`,
  });
}

/** Time until all subscribers have all events of a run that happens while they listen. */
function benchSubscribers(): Promise<boolean> {
  return withTempDir(async (dir) => {
    const host = startHost(dir, {
      OPENWOP_PLUGIN_PATHS: PLUGIN,
      OPENWOP_ENGINE__MAX_NODE_EXECUTIONS: '1000',
    });
    try {
      const url = await host.ready();
      const gate = join(dir, 'gate');
      await register(
        url,
        workflow(
          'crowded',
          [
            ['gate', 'private.test.gate', { file: gate }],
            ['loop', 'core.loop', { count: PASSES }],
            ['tick', 'core.delay', { delayMs: 1 }],
          ],
          [
            ['gate', 'loop'],
            ['loop', 'tick', { sourceOutput: 'body' }],
            ['tick', 'loop'],
          ],
        ),
      );
      const created = await fetch(`${url}/v1/runs`, {
        method: 'POST',
        headers: HEADERS,
        body: JSON.stringify({ workflowId: 'crowded', configurable: { recursionLimit: 1000 } }),
      });
      const { runId } = (await created.json()) as { runId: string };
      const path = `/v1/runs/${runId}/events?streamMode=debug`;
      const readers = await Promise.all(
        Array.from({ length: SUBSCRIBERS }, async () => {
          const { promise, resolve } = Promise.withResolvers<void>();
          const reader = readStream(url, path, HEADERS, resolve);
          await promise;
          return reader;
        }),
      );
      writeFileSync(gate, '');
      const start = performance.now();
      await Promise.all(readers.map(({ done }) => done));
      const seconds = (performance.now() - start) / 1000;
      const events = readers[0]?.ids.length ?? 0;
      const complete = readers.filter(
        ({ ids }) => ids.length === events && ids.every((id, i) => id === i),
      ).length;
      return report({
        name: `subscribers of one run with every event in order`,
        value: complete,
        atLeast: SUBSCRIBERS,
        unit: '',
        detail: `${events} events each in ${seconds.toFixed(2)} s, ${((events * SUBSCRIBERS) / seconds).toFixed(0)} frames/s`,
      });
    } finally {
      await host.stop();
    }
  });
}
