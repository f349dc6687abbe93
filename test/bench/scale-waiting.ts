// Starts runs that wait for a timer and prints what they cost in memory. Run by scale.ts with --expose-gc.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kernel } from '../../kernel/kernel.ts';
import { startEmbedded } from '../faults/embedded.ts';
import { workflow } from '../faults/workflows.ts';
import { withTempDir } from './process.ts';

export interface WaitingResult {
  /** Growth of heap and buffers outside it. */
  readonly heapMegabytes: number;
  /** Growth of the whole process. */
  readonly residentMegabytes: number;
  readonly seconds: number;
}

const HOUR_MS = 3_600_000;
const AT_ONCE = 100;
const waiting = workflow('waiting', [['wait', 'core.delay', { delayMs: HOUR_MS }]], []);

await withTempDir(async (dir) => {
  const count = Number(process.argv[2]);
  const kernel = await startEmbedded(dir, { development: false });
  await kernel.services.workflows.register(waiting, null);
  // Compiles code and fills the page cache of SQLite (32 MB), which are no cost of the runs that follow.
  await startRuns(kernel, 30_000);
  const before = await memory();
  const start = performance.now();
  await startRuns(kernel, count);
  const seconds = (performance.now() - start) / 1000;
  const after = await memory();
  const result: WaitingResult = {
    heapMegabytes: after.heap - before.heap,
    residentMegabytes: after.resident - before.resident,
    seconds,
  };
  console.log(JSON.stringify(result));
  await kernel.stop();
});

async function startRuns({ services: { runs } }: Kernel, count: number): Promise<void> {
  const request = {
    workflowId: waiting.id,
    tenantId: 'default',
    inputs: {},
    options: {},
    transport: 'rest',
  } as const;
  for (let started = 0; started < count; started += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, () => runs.create(request)));
}

async function memory(): Promise<{ heap: number; resident: number }> {
  await sleep(300);
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 };
}
