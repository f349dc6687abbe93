/** Dispatch over NATS JetStream: hosts put invocations into a work queue, `wopr worker` processes execute them. */
import type { PluginContext } from '../../kernel/plugin/types.ts';
import type { NatsConfig } from './config.ts';
import { openConnection } from './connection.ts';
import type { NatsWorkers } from './contract.ts';
import { NatsDispatcher } from './dispatcher.ts';
import { queueNames } from './names.ts';
import { natsHealth, natsMetrics } from './observe.ts';
import { ensureQueue } from './topology.ts';
import { startWorker } from './worker.ts';

export function activate(context: PluginContext<NatsConfig>): void {
  const { config, logger } = context;
  let dispatcher: NatsDispatcher | undefined;

  context.register('dispatchers', 'nats', {
    async create() {
      const names = queueNames(config.prefix, config.queue);
      const connection = await openConnection(config, `host ${config.queue}`, logger);
      try {
        await ensureQueue(connection.nats, names, config);
      } catch (error) {
        await connection.close();
        throw error;
      }
      const created = new NatsDispatcher(connection, names, config, logger);
      context.effect('NATS dispatcher', () => created.stop(0));
      dispatcher = created;
      return created;
    },
  });
  context.provide('natsWorkers', {
    async start({ nodeTypes, queue = config.queue, concurrency = config.concurrency }) {
      const worker = await startWorker({ ...config, queue, concurrency, nodeTypes, logger });
      context.effect(`worker of queue ${queue}`, () => worker.stop(0));
      return worker;
    },
  } satisfies NatsWorkers);
  context.register(
    'healthChecks',
    'nats',
    natsHealth(() => dispatcher),
  );
  for (const metric of natsMetrics(() => dispatcher)) context.register('metrics', metric.name, metric);
}
