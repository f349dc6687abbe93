/**
 * The host's side: offers invocations to the queue and takes their outcomes. The run's log stays the only truth: whatever is lost between
 * here and the workers is offered again, by this host or by the one that takes the run over.
 */
import { JetStreamApiError, type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type Msg, nuid } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { failedOutcome, timedOut } from '../../kernel/dispatch/execute.ts';
import type { Dispatcher, DispatcherStats, Invocation, Outcome } from '../../kernel/dispatch/types.ts';
import { WoprError } from '../../kernel/errors.ts';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { keyOf, type QueueNames } from './names.ts';
import { Pending } from './pending.ts';
import { ensureQueue } from './topology.ts';
import { decodeOutcome, encodeWork, type Receipt } from './wire.ts';

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
  readonly #jetstream: JetStreamClient;
  readonly #replyTo: string;
  readonly #open = new Map<string, Pending>();
  readonly #sweeper: NodeJS.Timeout;
  #draining = false;
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
    this.#jetstream = jetstream(nats, { timeout: PUBLISH_TIMEOUT_MS });
    this.#replyTo = names.outcomeSubjectOf(nuid.next());
    const callback = (error: Error | null, message: Msg) => {
      if (error) this.#logger.error({ err: error }, 'outcomes cannot be received');
      else this.#takeOutcome(message);
    };
    nats.subscribe(this.#replyTo, { callback });
    nats.subscribe(names.outcomeSubject, { callback });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    // Whatever the server forgot while it was away is offered again.
    connection.onChange((connected) => {
      if (!connected) return;
      for (const pending of this.#open.values()) if (!pending.offering) pending.nextOffer = 0;
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
    if (this.#draining) throw busy('The dispatcher is stopping.');
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
    void this.#offer(pending);
    return this.#wait(pending, signal);
  }

  stats(): DispatcherStats {
    let inFlight = 0;
    for (const { accepted } of this.#open.values()) if (accepted) inFlight++;
    return { inFlight, queued: this.#open.size - inFlight, capacity: this.#config.maxPending };
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
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

  async #offer(pending: Pending): Promise<void> {
    pending.offering = true;
    try {
      const subject = this.#names.workSubject(pending.key);
      const { seq } = await this.#jetstream.publish(subject, pending.body);
      pending.sequence = seq;
      pending.accepted = true;
      pending.pause = REASSURE_MS;
      if (pending.withdrawn) this.#deleteMessage(seq);
    } catch (error) {
      if (!pending.closed) this.#notTaken(pending, error);
    }
    pending.nextOffer = Date.now() + pending.pause;
    pending.offering = false;
  }

  #notTaken(pending: Pending, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === 'full' && !pending.accepted) {
      this.counters.refused++;
      this.#close(pending);
      pending.reject(this.#full());
      return;
    }
    pending.pause = Math.min(REASSURE_MS, Math.max(RETRY_MS, pending.pause * 2));
    // Ours, or left by an earlier dispatch and perhaps about to be acknowledged: then it will soon be gone, and this one is needed.
    if (refusal === 'present') pending.accepted = true;
    else if (refusal === undefined && this.#connection.connected) this.#repair(error);
  }

  /** The stream may be missing: deleted, or lost with the server's disk. */
  #repair(cause: unknown): void {
    if (Date.now() < this.#nextRepair) return;
    this.#nextRepair = Date.now() + REPAIR_MS;
    this.#logger.warn({ err: cause, queue: this.#names.queue }, 'invocations cannot be queued; trying again');
    ensureQueue(this.#connection.nats, this.#names, this.#config).catch((error: unknown) =>
      this.#logger.error({ err: error, queue: this.#names.queue }, 'the queue cannot be made'),
    );
  }

  #sweep(): void {
    if (!this.#connection.connected) return;
    const now = Date.now();
    let offers = 0;
    for (const pending of this.#open.values()) {
      if (pending.offering || pending.nextOffer > now) continue;
      void this.#offer(pending);
      if (++offers === SWEEP_BATCH) return;
    }
  }

  #takeOutcome(message: Msg): void {
    let received: ReturnType<typeof decodeOutcome>;
    try {
      received = decodeOutcome(message.string());
    } catch (error) {
      this.#logger.error({ err: error }, 'message on the subject of outcomes is none; ignored');
      return;
    }
    const pending = this.#open.get(received.key);
    if (!pending) {
      // Another host may be waiting for what was not sent to this one alone.
      if (message.subject === this.#names.outcomeSubject) return;
      this.counters.dropped++;
      message.respond('dropped' satisfies Receipt);
      return;
    }
    let outcome: Outcome;
    try {
      outcome = received.outcome();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      outcome = failedOutcome('dispatch_failed', `The worker's answer is no outcome: ${reason}.`);
    }
    this.counters.accepted++;
    this.#close(pending);
    pending.resolve(outcome);
    message.respond('accepted' satisfies Receipt);
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

/** Why the stream refused: the invocation is in it already, it is full, or (undefined) nothing is known. The server tells these apart in words only. */
function refusalOf(error: unknown): 'present' | 'full' | undefined {
  if (!(error instanceof JetStreamApiError)) return undefined;
  if (error.message.includes('maximum messages per subject')) return 'present';
  if (/maximum (messages|bytes)|insufficient (storage )?resources/.test(error.message)) return 'full';
  return undefined;
}

function busy(message: string): WoprError {
  return new WoprError('service_unavailable', message, { retryAfterSeconds: 1 });
}
