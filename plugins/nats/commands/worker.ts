/** `wopr worker`: executes nodes of a NATS queue in the foreground until SIGINT or SIGTERM. */
import type { Command } from 'commander';
import { type CommandContext, EXIT, usageError } from '../../../kernel/commands.ts';
import type {} from '../contract.ts';

interface WorkerOptions {
  readonly queue?: string;
  readonly concurrency?: string;
}

export function define(program: Command, context: CommandContext): void {
  program
    .command('worker')
    .description('Executes nodes for hosts that dispatch over NATS, with the plugins of this installation.')
    .option('-q, --queue <name>', 'queue to take work from (plugins.nats.config.queue)')
    .option('-c, --concurrency <n>', 'nodes executed at once (plugins.nats.config.concurrency)')
    .action((options: WorkerOptions) => work(options, context))
    .addHelpText(
      'after',
      '\nExamples:\n  $ wopr worker\n  $ OPENWOP_NATS_URL=nats://10.0.0.5:4222 wopr worker --queue heavy --concurrency 4\n' +
        '\nSIGINT or SIGTERM: take nothing new, finish what runs, hand the rest back to the queue, exit 0; a second one exits 1 at once\n(other workers then take over after the ack wait). The log is JSON lines on stderr.',
    );
}

async function work(options: WorkerOptions, context: CommandContext): Promise<void> {
  const resolved = await context.resolveConfig({
    'plugins.nats.enabled': true,
    'plugins.nats.config.queue': options.queue,
    'plugins.nats.config.concurrency': concurrencyOf(options),
  });
  const logger = await context.createLogger(resolved.config.logLevel);
  const signalled = Promise.withResolvers<undefined>();
  let signals = 0;
  context.onSignal((signal) => {
    if (++signals > 1) process.exit(EXIT.failed);
    logger.info({ signal }, 'stopping; a second signal ends it at once');
    signalled.resolve(undefined);
  });
  const kernel = await context.openKernel('worker', { resolved, logger });
  try {
    const workers = kernel.service('natsWorkers');
    if (!workers) throw new Error('the plugin nats is not active');
    const worker = await workers.start({ nodeTypes: (typeId) => kernel.extensions.get('nodeTypes', typeId) });
    const { queue, concurrency } = worker;
    logger.info({ queue, concurrency, pid: process.pid }, 'worker is ready');
    const refused = await Promise.race([signalled.promise, worker.closed]);
    await worker.stop(resolved.config.shutdownGraceMs);
    logger.info({ queue, done: worker.stats().done }, 'worker has stopped');
    if (refused !== undefined) throw refused;
    context.exit(EXIT.ok);
  } finally {
    await kernel.stop();
  }
}

function concurrencyOf({ concurrency }: WorkerOptions): number | undefined {
  if (concurrency === undefined) return undefined;
  const count = Number(concurrency);
  if (!Number.isInteger(count) || count < 1)
    throw usageError(`--concurrency must be a whole number from 1, not "${concurrency}"`);
  return count;
}
