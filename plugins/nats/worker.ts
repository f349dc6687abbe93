/** The worker's side: executes invocations of a queue, several at once, and acknowledges each only after a host has its outcome. */
import type { JsMsg } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import { execute, failedOutcome } from '../../kernel/dispatch/execute.ts';
import type { Invocation, NodeType, Outcome } from '../../kernel/dispatch/types.ts';
import type { NatsConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import type { Worker } from './contract.ts';
import { DeadLetters } from './dead-letters.ts';
import { WorkFeed } from './feed.ts';
import { keyOfSubject, queueNames } from './names.ts';
import { OutcomeSender } from './outcome-sender.ts';
import { Tick } from './tick.ts';
import { ensureQueue } from './topology.ts';
import { decodeWork, type Work } from './wire.ts';

/** Progress is reported this often within the ack wait, so that two reports may get lost. */
const REPORTS_PER_ACK_WAIT = 3;
/** Pause before a message whose handling failed unexpectedly is delivered again. */
const REDELIVER_MS = 1_000;
/** Time that jobs get to hand themselves back when the worker stops. */
const HAND_BACK_MS = 1_000;

export interface WorkerOptions extends NatsConfig {
  readonly nodeTypes: (typeId: string) => NodeType | undefined;
  readonly logger: Logger;
}

type End = 'cancelled' | 'handedBack';

interface Job {
  readonly key: string;
  readonly message: JsMsg;
  readonly abort: AbortController;
  end?: End;
}

interface Readable extends Work {
  readonly undeliverable?: undefined;
}

interface Undeliverable extends Partial<Work> {
  /** Why nothing should be executed. */
  readonly undeliverable: string;
}

/** Connects and begins to pull. Errors: `config_invalid` (server unreachable, credentials refused, foreign stream of that name). */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const connection = await openConnection(options, `worker ${options.queue}`, options.logger);
  try {
    await ensureQueue(connection.nats, queueNames(options.prefix, options.queue), options);
    return new QueueWorker(options, connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

class QueueWorker implements Worker {
  readonly queue: string;
  readonly concurrency: number;
  readonly closed: Promise<Error | undefined>;
  readonly #options: WorkerOptions;
  readonly #connection: Connection;
  readonly #feed: WorkFeed;
  readonly #outcomes: OutcomeSender;
  readonly #deadLetters: DeadLetters;
  readonly #tick: Tick;
  /** By stream sequence. */
  readonly #jobs = new Map<number, Job>();
  readonly #progress: NodeJS.Timeout;
  #done = 0;
  #stopping: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkerOptions, connection: Connection) {
    const { queue, prefix, concurrency, ackWaitMs, holdMs, logger } = options;
    const names = queueNames(prefix, queue);
    this.queue = queue;
    this.concurrency = concurrency;
    this.#options = options;
    this.#connection = connection;
    this.#tick = new Tick(connection.nats);
    this.#outcomes = new OutcomeSender(connection, this.#tick, names, holdMs, logger);
    this.#deadLetters = new DeadLetters(connection.nats, names, logger);
    this.closed = connection.nats.closed().then((error) => {
      clearInterval(this.#progress);
      return error ?? undefined;
    });
    connection.nats.subscribe(names.cancelSubject, {
      callback: (error, message) => {
        if (error) logger.error({ err: error, queue }, 'cancellations cannot be received');
        else this.#cancel(message.string());
      },
    });
    this.#progress = setInterval(() => {
      for (const { message } of this.#jobs.values()) this.#tick.now(() => message.working());
    }, ackWaitMs / REPORTS_PER_ACK_WAIT);
    this.#feed = new WorkFeed({
      connection,
      names,
      concurrency,
      logger,
      ensure: () => ensureQueue(connection.nats, names, options),
      begin: (message) => this.#take(message),
    });
  }

  stats() {
    return { running: this.#jobs.size, done: this.#done, connected: this.#connection.connected };
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#feed.stop();
    await this.#idle(graceMs);
    for (const job of this.#jobs.values()) this.#end(job, 'handedBack');
    await this.#idle(HAND_BACK_MS);
    await this.#connection.close();
  }

  async #idle(waitMs: number): Promise<void> {
    if (this.#jobs.size === 0) return;
    const idle = Promise.withResolvers<void>();
    this.#onIdle = idle.resolve;
    const timer = setTimeout(idle.resolve, waitMs);
    await idle.promise;
    clearTimeout(timer);
  }

  #cancel(key: string): void {
    for (const job of this.#jobs.values()) if (job.key === key) this.#end(job, 'cancelled');
  }

  #end(job: Job, end: End): void {
    job.end ??= end;
    job.abort.abort(new Error(end === 'cancelled' ? 'the host called it off' : 'the worker is stopping'));
  }

  async #take(message: JsMsg): Promise<void> {
    // Delivered again while this worker has it: its progress was lost on the way, or the server (2.9) delivered a redelivery twice.
    if (this.#jobs.has(message.seq)) return;
    const job: Job = { key: keyOfSubject(message.subject), message, abort: new AbortController() };
    this.#jobs.set(message.seq, job);
    try {
      await this.#finish(job);
    } catch (error) {
      this.#tick.now(() => {
        this.#options.logger.error(
          { err: error, queue: this.queue },
          'work failed unexpectedly; handed back',
        );
        message.nak(REDELIVER_MS);
      });
    } finally {
      this.#jobs.delete(message.seq);
      this.#done++;
      if (this.#jobs.size === 0) this.#onIdle?.();
    }
  }

  /** Executes, has the outcome accepted, and only then acknowledges. */
  async #finish(job: Job): Promise<void> {
    const { key, message, abort } = job;
    const { invocation, replyTo, undeliverable } = this.#read(message);
    let outcome: Outcome;
    if (undeliverable === undefined) outcome = await this.#execute(invocation, abort.signal);
    else {
      await this.#deadLetters.put(message, 'undeliverable', undeliverable);
      outcome = failedOutcome('dispatch_failed', `The invocation was set aside: ${undeliverable}.`);
    }
    const receipt = abort.signal.aborted
      ? 'stopped'
      : await this.#outcomes.send(key, outcome, replyTo, abort.signal);
    if (receipt === 'unclaimed' && undeliverable === undefined)
      await this.#deadLetters.put(message, 'unclaimed', 'no host took the outcome');
    if (receipt === 'stopped' && job.end === 'handedBack') this.#tick.now(() => message.nak());
    // Its place is free only then, so that a worker that stops has acknowledged what it finished.
    else await this.#tick.defer(() => message.ack());
  }

  #execute(invocation: Invocation, signal: AbortSignal): Promise<Outcome> {
    const { nodeTypes, logger } = this.#options;
    return execute(nodeTypes(invocation.typeId), invocation, signal, logger);
  }

  #read(message: JsMsg): Readable | Undeliverable {
    const { maxDeliver } = this.#options;
    let work: Work;
    try {
      work = decodeWork(message.string());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { undeliverable: `this version of wopr cannot read it (${reason})` };
    }
    return message.info.deliveryCount <= maxDeliver
      ? work
      : {
          ...work,
          undeliverable: `after ${maxDeliver} deliveries no worker has finished it`,
        };
  }
}
