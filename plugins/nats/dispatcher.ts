/**
 * The host's side: offers invocations to the queue and takes their outcomes. The run's log stays the only truth: whatever is lost between
 * here and the workers is offered again, by this host or by the one that takes the run over.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import { type Msg, nuid } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { checkOutcome, failedOutcome, timedOut } from '../../kernel/dispatch/execute.ts';
import type { Dispatcher, DispatcherStats, Invocation, Outcome } from '../../kernel/dispatch/types.ts';
import { WoprError } from '../../kernel/errors.ts';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { keyOf, type QueueNames } from './names.ts';
import { Pending } from './pending.ts';
import { Tick } from './tick.ts';
import { ensureQueue } from './topology.ts';
import { decodeResults, encodeWork, type Receipt, type Result } from './wire.ts';
import { type Answer, WorkPublisher } from './work-publisher.ts';

/** How often open invocations are looked at for being offered again. */
const SWEEP_MS = 250;
/** Most invocations offered again at once. */
const SWEEP_BATCH = 256;
/** First pause after an offer that was not taken; it doubles with each. */
const RETRY_MS = 100;
/** Longest pause. Also that before an accepted invocation is offered again, in case the queue lost it; refused as long as it is there. */
const REASSURE_MS = 30_000;
/** Shortest time between two attempts to make a missing stream anew. */
const REPAIR_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 5_000;
/** A full queue is asked again for this long: what has just ended may still wait for its acknowledgement. */
const FULL_PATIENCE_MS = 500;
/** Node timers count no further; such a deadline is left to the worker. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface NatsCounters {
  dispatched: number;
  accepted: number;
  dropped: number;
  refused: number;
}

export class NatsDispatcher implements Dispatcher {
  readonly name = 'nats';
  readonly counters: NatsCounters = { dispatched: 0, accepted: 0, dropped: 0, refused: 0 };
  readonly #connection: Connection;
  readonly #names: QueueNames;
  readonly #config: Pick<NatsConfig, 'maxPending' | 'ackWaitMs'>;
  readonly #logger: Logger;
  readonly #publisher: WorkPublisher;
  readonly #tick: Tick;
  readonly #replyTo: string;
  readonly #open = new Map<string, Pending>();
  readonly #sweeper: NodeJS.Timeout;
  #stopping: Promise<void> | undefined;
  #nextRepair = 0;
  #onIdle: (() => void) | undefined;

  /** The queue must exist (`ensureQueue`). The dispatcher owns the connection and closes it when it stops. */
  constructor(
    connection: Connection,
    names: QueueNames,
    config: Pick<NatsConfig, 'maxPending' | 'ackWaitMs'>,
    logger: Logger,
  ) {
    this.#connection = connection;
    this.#names = names;
    this.#config = config;
    this.#logger = logger;
    const { nats } = connection;
    this.#tick = new Tick(nats);
    this.#publisher = new WorkPublisher(nats, PUBLISH_TIMEOUT_MS);
    this.#replyTo = names.outcomeSubjectOf(nuid.next());
    const callback = (error: Error | null, message: Msg) => {
      if (error) this.#logger.error({ err: error }, 'outcomes cannot be received');
      else this.#takeOutcomes(message);
    };
    nats.subscribe(this.#replyTo, { callback });
    nats.subscribe(names.outcomeSubject, { callback });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    connection.onChange((connected) => {
      if (connected) this.#offerAllAgain();
      else this.#publisher.giveUp();
    });
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  async dispatch(invocation: Invocation, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const key = keyOf(invocation.invocationId);
    const shared = this.#open.get(key);
    if (shared) return this.#wait(shared, signal);
    if (this.#stopping) throw busy('The dispatcher is stopping.');
    if (this.#open.size >= this.#config.maxPending) throw this.#full();
    const remaining = (invocation.deadline ?? Number.POSITIVE_INFINITY) - Date.now();
    if (remaining <= 0) return timedOut(invocation);
    const body = encodeWork({ invocation, replyTo: this.#replyTo });
    const tooLarge = this.#tooLarge(body);
    if (tooLarge) return tooLarge;

    const pending = new Pending(key, invocation, body);
    this.#open.set(key, pending);
    this.counters.dispatched++;
    if (remaining <= LONGEST_TIMER_MS)
      pending.timer = setTimeout(() => {
        this.#close(pending);
        this.#withdraw(pending);
        pending.resolve(timedOut(invocation));
      }, remaining);
    this.#offer(pending);
    return this.#wait(pending, signal);
  }

  stats(): DispatcherStats {
    let inFlight = 0;
    for (const { accepted } of this.#open.values()) if (accepted) inFlight++;
    return { inFlight, queued: this.#open.size - inFlight, capacity: this.#config.maxPending };
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.#open.size > 0) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      const timer = setTimeout(idle.resolve, graceMs);
      await idle.promise;
      clearTimeout(timer);
    }
    clearInterval(this.#sweeper);
    for (const pending of [...this.#open.values()]) {
      this.#close(pending);
      // The work goes on; its outcome finds the host that takes the run over.
      pending.reject(busy('The dispatcher is stopping.'));
    }
    await this.#connection.close();
  }

  /** The caller's share of an outcome. When nobody wants it any more, the work is withdrawn. */
  #wait(pending: Pending, signal: AbortSignal): Promise<Outcome> {
    pending.waiters++;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        reject(signal.reason);
        if (--pending.waiters > 0 || pending.closed) return;
        this.#close(pending);
        this.#withdraw(pending);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      pending.outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  #offer(pending: Pending): void {
    if (!this.#connection.connected) return; // nothing is buffered: the reconnect offers everything
    pending.offering = true;
    this.#tick.defer(() => {
      if (pending.closed) return;
      const subject = this.#names.workSubject(pending.key);
      this.#publisher.offer(subject, pending.body, (answer) => this.#answered(pending, answer));
    });
  }

  /** After a reconnect: whatever the server forgot is new to it, the rest it refuses. */
  #offerAllAgain(): void {
    for (const pending of this.#open.values()) if (!pending.offering) pending.nextOffer = 0;
  }

  #answered(pending: Pending, answer: Answer): void {
    if (answer.kind === 'stored') {
      pending.sequence = answer.sequence;
      if (pending.withdrawn) this.#deleteMessage(answer.sequence);
    }
    if (pending.closed) return;
    if (answer.kind === 'full' && !pending.accepted && Date.now() - pending.since >= FULL_PATIENCE_MS) {
      this.counters.refused++;
      this.#close(pending);
      pending.reject(this.#full());
      return;
    }
    // `present`: ours, or left by an earlier dispatch and perhaps about to be acknowledged; then it will soon be gone, and this one is needed.
    if (answer.kind === 'stored' || answer.kind === 'present') pending.accepted = true;
    else if (answer.kind === 'unknown' && this.#connection.connected) this.#repair(answer.reason);
    pending.pause =
      answer.kind === 'stored' ? REASSURE_MS : Math.min(REASSURE_MS, Math.max(RETRY_MS, pending.pause * 2));
    pending.nextOffer = Date.now() + pending.pause;
    pending.offering = false;
  }

  /** The stream may be missing: deleted, or lost with the server's disk. */
  #repair(reason: string): void {
    if (Date.now() < this.#nextRepair) return;
    this.#nextRepair = Date.now() + REPAIR_MS;
    this.#logger.warn({ reason, queue: this.#names.queue }, 'invocations cannot be queued; trying again');
    ensureQueue(this.#connection.nats, this.#names, this.#config).catch((error: unknown) =>
      this.#logger.error({ err: error, queue: this.#names.queue }, 'the queue cannot be made'),
    );
  }

  #sweep(): void {
    this.#publisher.expire();
    if (!this.#connection.connected) return;
    const now = Date.now();
    let offers = 0;
    for (const pending of this.#open.values()) {
      if (pending.offering || pending.nextOffer > now) continue;
      this.#offer(pending);
      if (++offers === SWEEP_BATCH) return;
    }
  }

  #takeOutcomes(message: Msg): void {
    let results: readonly Result[];
    try {
      results = decodeResults(message.string());
    } catch (error) {
      this.#logger.error({ err: error }, 'message on the subject of outcomes holds none; ignored');
      return;
    }
    // Another host may be waiting for what was not sent to this one alone.
    const foreign: Receipt = message.subject === this.#replyTo ? 'dropped' : 'unknown';
    const receipts = results.map((result) => this.#takeOutcome(result, foreign));
    if (receipts.every((receipt) => receipt === 'unknown')) return;
    this.#tick.defer(() => message.respond(JSON.stringify(receipts)));
  }

  #takeOutcome({ key, outcome }: Result, foreign: Receipt): Receipt {
    const pending = this.#open.get(key);
    if (!pending) {
      if (foreign === 'dropped') this.counters.dropped++;
      return foreign;
    }
    this.counters.accepted++;
    this.#close(pending);
    try {
      pending.resolve(checkOutcome(outcome));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      pending.resolve(failedOutcome('dispatch_failed', `The worker's answer is no outcome: ${reason}.`));
    }
    return 'accepted';
  }

  /** From here on the invocation counts as ended. */
  #close(pending: Pending): void {
    pending.closed = true;
    clearTimeout(pending.timer);
    this.#open.delete(pending.key);
    if (this.#open.size === 0) this.#onIdle?.();
  }

  /** Calls off work that nobody waits for: from the worker that executes it and from the queue. Best effort; a late outcome is dropped. */
  #withdraw(pending: Pending): void {
    pending.withdrawn = true;
    if (!this.#connection.connected) return;
    this.#connection.nats.publish(this.#names.cancelSubject, pending.key);
    if (pending.sequence !== undefined) this.#deleteMessage(pending.sequence);
  }

  #deleteMessage(sequence: number): void {
    const deletion = async () => {
      const manager = await jetstreamManager(this.#connection.nats, { checkAPI: false });
      await manager.streams.deleteMessage(this.#names.workStream, sequence, false);
    };
    deletion().catch((error: unknown) =>
      this.#logger.debug({ err: error, sequence }, 'withdrawn invocation is not in the queue any more'),
    );
  }

  #tooLarge(body: string): Outcome | undefined {
    const limit = this.#connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY;
    // At most three bytes per UTF-16 unit: most bodies need no counting.
    if (body.length * 3 <= limit) return undefined;
    const bytes = Buffer.byteLength(body);
    if (bytes <= limit) return undefined;
    const message = `The invocation takes ${bytes} bytes; the NATS server transports at most ${limit}.`;
    return failedOutcome('dispatch_failed', message);
  }

  #full(): WoprError {
    return busy(`The dispatch queue "${this.#names.queue}" is full.`);
  }
}

function busy(message: string): WoprError {
  return new WoprError('service_unavailable', message, { retryAfterSeconds: 1 });
}
