// Hosts and workers of one queue on one server, for tests and benchmarks.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
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

const CHILD = fileURLToPath(new URL('./test-worker.ts', import.meta.url));

const SILENT = pino({ level: 'silent' });
let queues = 0;

/** A worker in a process of its own, to be killed, frozen or terminated. Its node types are those of test-worker.ts. */
export class ChildWorker {
  readonly process: ChildProcess;
  /** What it printed. */
  readonly lines: string[] = [];

  constructor(config: NatsConfig) {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    this.process = child;
  }

  /** Waits until it pulls. */
  async ready(): Promise<this> {
    while (!this.lines.includes('ready')) {
      if (this.ended) throw new Error('the worker ended before it was ready');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Invocation ids of the nodes it began. */
  get begun(): string[] {
    return this.lines.filter((line) => line.startsWith('begun ')).map((line) => line.slice(6));
  }

  /** Exit code, null after a signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.ended) return this.process.exitCode;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
    return this.process.exitCode;
  }
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
    return (await this.mortalHost(logger)).dispatcher;
  }

  /** A host that can end as if killed: its connection is gone without a word. */
  async mortalHost(
    logger: Logger = SILENT,
  ): Promise<{ readonly dispatcher: NatsDispatcher; kill(): Promise<void> }> {
    const connection = await openConnection(this.config, 'test host', logger);
    await ensureQueue(connection.nats, this.names, this.config);
    const dispatcher = new NatsDispatcher(connection, this.names, this.config, logger);
    this.#stops.push(() => dispatcher.stop(0));
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

  async child(overrides: Partial<NatsConfig> = {}): Promise<ChildWorker> {
    const child = new ChildWorker({ ...this.config, ...overrides });
    this.#stops.push(async () => void (await child.kill()));
    return child.ready();
  }

  /** What the server has stored for the queue. */
  stored(): Promise<{ readonly work: number; readonly dead: number }> {
    return this.admin(async ({ streams }) => ({
      work: (await streams.info(this.names.workStream)).state.messages,
      dead: (await streams.info(this.names.deadStream)).state.messages,
    }));
  }

  /** The newest dead letter: its text, and its headers by name. */
  deadLetter(): Promise<{ readonly text: string; readonly headers: Record<string, string> }> {
    return this.admin(async ({ streams }) => {
      const message = await streams.getMessage(this.names.deadStream, {
        last_by_subj: this.names.deadSubject,
      });
      if (!message) throw new Error('there is no dead letter');
      const fields = [...message.header].map(([name, values]) => [name, values.join()]);
      return { text: message.string(), headers: Object.fromEntries(fields) };
    });
  }

  async admin<T>(job: (manager: JetStreamManager) => Promise<T>): Promise<T> {
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
