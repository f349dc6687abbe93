// A kernel inside the test's own process that executes runs and serves nothing.
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { resolveConfig } from '../../kernel/config.ts';
import { createKernel, type Kernel } from '../../kernel/kernel.ts';
import type { JsonValue } from '../../schemas/json.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

const BUILT_IN = fileURLToPath(new URL('../../plugins', import.meta.url));

/** Starts it on `dataDir`; it takes over the runs that wait there. Every event is checked before it is stored. */
export async function startEmbedded(
  dataDir: string,
  config: Readonly<Record<string, JsonValue>> = {},
): Promise<Kernel> {
  const kernel = await createKernel({
    resolved: resolveConfig({ cwd: dataDir, flags: { dataDir, development: true, ...config } }),
    logger: pino({ level: 'silent' }),
    builtInPlugins: BUILT_IN,
    role: 'embedded',
  });
  await kernel.start();
  return kernel;
}

/** All events of a run, once it has ended. */
export async function finishedLog(kernel: Kernel, runId: string): Promise<RunEventDoc[]> {
  const events: RunEventDoc[] = [];
  const signal = AbortSignal.timeout(15_000);
  for await (const batch of kernel.services.log.follow(runId, 0, signal)) events.push(...batch);
  if (signal.aborted) throw new Error(`Run ${runId} did not end; its last event is ${events.at(-1)?.type}.`);
  return events;
}

/** Runs a workflow to its end, undisturbed. */
export async function runOnce(kernel: Kernel, definition: { readonly id: string }): Promise<RunEventDoc[]> {
  await kernel.services.workflows.register(definition, null);
  const { runId } = await kernel.services.runs.create({
    workflowId: definition.id,
    tenantId: 'default',
    inputs: {},
    options: {},
    transport: 'rest',
  });
  return finishedLog(kernel, runId);
}
