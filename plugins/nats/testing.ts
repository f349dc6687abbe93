// Hosts and workers of one queue on one server, for tests and benchmarks.
import { fileURLToPath } from 'node:url';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Logger, pino } from 'pino';
import type { NodeType } from '../../kernel/dispatch/types.ts';
import type { NatsConfig } from './config.ts';
import { openConnection } from './connection.ts';
import type { Worker } from './contract.ts';
import { NatsDispatcher } from './dispatcher.ts';
import { queueNames } from './names.ts';
import { ensureQueue } from './topology.ts';
import { startWorker } from './worker.ts';

export const CHILD = fileURLToPath(new URL('./test-worker.ts', import.meta.url));

const SILENT = pino({ level: 'silent' });
let queues = 0;

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Everything a test starts on one queue of its own; `stop` ends it. */
export class TestQueue {
  readonly config: NatsConfig;
  readonly names: ReturnType<typeof queueNames>;
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(url: string, overrides: Partial<NatsConfig> = {}) {
    this.config = {
      url,
      prefix: 'test',
      queue: `queue-${process.pid}-${++queues}`,
      concurrency: 8,
      maxPending: 64,
      ackWaitMs: 1_000,
      maxDeliver: 5,
      holdMs: 60_000,
      ...overrides,
    };
    this.names = queueNames(this.config.prefix, this.config.queue);
  }

  async host(logger: Logger = SILENT): Promise<NatsDispatcher> {
    const connection = await openConnection(this.config, 'test host', logger);
    await ensureQueue(connection.nats, this.names, this.config);
    const dispatcher = new NatsDispatcher(connection, this.names, this.config, logger);
    this.#stops.push(() => dispatcher.stop(0));
    return dispatcher;
  }

  /** A host that ends as if killed: its connection is gone without a word. */
  async mortalHost(): Promise<{ readonly dispatcher: NatsDispatcher; kill(): Promise<void> }> {
    const connection = await openConnection(this.config, 'test host', SILENT);
    await ensureQueue(connection.nats, this.names, this.config);
    const dispatcher = new NatsDispatcher(connection, this.names, this.config, SILENT);
    return { dispatcher, kill: () => connection.nats.close() };
  }

  async worker(
    types: readonly NodeType[] | ((typeId: string) => NodeType | undefined),
    overrides: Partial<NatsConfig> = {},
    logger: Logger = SILENT,
  ): Promise<Worker> {
    const nodeTypes =
      typeof types === 'function' ? types : (typeId: string) => types.find((type) => type.typeId === typeId);
    const worker = await startWorker({ ...this.config, ...overrides, nodeTypes, logger });
    this.#stops.push(() => worker.stop(0));
    return worker;
  }

  /** What the server has stored for the queue. */
  async stored(): Promise<{ readonly work: number; readonly dead: number }> {
    const messages = ({ state }: StreamInfo) => state.messages;
    return this.admin(async ({ streams }) => ({
      work: messages(await streams.info(this.names.workStream)),
      dead: messages(await streams.info(this.names.deadStream)),
    }));
  }

  async admin<T>(job: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>): Promise<T> {
    const nats = await connect({ servers: this.config.url });
    try {
      return await job(await jetstreamManager(nats));
    } finally {
      await nats.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }
}
