// Runs one workflow in a process of its own and kills that process right before or right after its n-th commit. See crash-points.test.ts.
import type { Kernel } from '../../kernel/kernel.ts';
import { finishedLog, startEmbedded } from './embedded.ts';

export interface CrashOrder {
  readonly dataDir: string;
  readonly workflowId: string;
  readonly inline: boolean;
  readonly ttlMs: number;
  /** 0 is the commit that creates the run. */
  readonly commit: number;
  readonly moment: 'before' | 'after';
}

const order = JSON.parse(process.argv[2] ?? '') as CrashOrder;
const kernel = await startEmbedded(order.dataDir, {
  'engine.inline': order.inline,
  'claims.ttlMs': order.ttlMs,
});
crashAt(kernel, order);
const { runId } = await kernel.services.runs.create({
  workflowId: order.workflowId,
  tenantId: 'default',
  inputs: {},
  options: {},
  transport: 'rest',
});
await finishedLog(kernel, runId);
await kernel.stop();

/** Counts commits of the log where the engine asks for them. */
function crashAt({ services: { log } }: Kernel, { commit, moment }: CrashOrder): void {
  let count = 0;
  const counted =
    <Request>(write: (request: Request) => Promise<void>) =>
    async (request: Request): Promise<void> => {
      const here = count++ === commit;
      if (here && moment === 'before') process.kill(process.pid, 'SIGKILL');
      await write(request);
      if (here) process.kill(process.pid, 'SIGKILL');
    };
  const { createRun, append } = log;
  Object.assign(log, { createRun: counted(createRun.bind(log)), append: counted(append.bind(log)) });
}
