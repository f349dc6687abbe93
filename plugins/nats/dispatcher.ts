/**
 * The host's side: has invocations offered to the queue and takes their outcomes. The run's log stays the only truth: whatever is lost between
 * here and the workers is offered again, by this host or by the one that takes the run over.
 */
import { type Msg, nuid } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { checkOutcome, failedOutcome, timedOut } from '../../kernel/dispatch/execute.ts';
import type { Dispatcher, DispatcherStats, Invocation, Outcome } from '../../kernel/dispatch/types.ts';
import { WoprError } from '../../kernel/errors.ts';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { keyOf, type QueueNames } from './names.ts';
import { Offers } from './offers.ts';
import { Pending } from './pending.ts';
import { Tick } from './tick.ts';
import { decodeResults, encodeWork, type Receipt, type Result } from './wire.ts';

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
  readonly #capacity: number;
  readonly #logger: Logger;
  readonly #offers: Offers;
  readonly #tick: Tick;
  readonly #replyTo: string;
  readonly #open = new Map<string, Pending>();
  #stopping: Promise<void> | undefined;
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
    this.#capacity = config.maxPending;
    this.#logger = logger;
    const { nats } = connection;
    this.#tick = new Tick(nats);
    this.#offers = new Offers({
      connection,
      names,
      config,
      logger,
      tick: this.#tick,
      open: this.#open,
      refuse: (pending) => {
        this.counters.refused++;
        this.#close(pending);
        pending.reject(this.#full());
      },
    });
    this.#replyTo = names.outcomeSubjectOf(nuid.next());
    const callback = (error: Error | null, message: Msg) => {
      if (error) this.#logger.error({ err: error }, 'outcomes cannot be received');
      else this.#takeOutcomes(message);
    };
    nats.subscribe(this.#replyTo, { callback });
    nats.subscribe(names.outcomeSubject, { callback });
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
    if (this.#open.size >= this.#capacity) throw this.#full();
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
        this.#offers.withdraw(pending);
        pending.resolve(timedOut(invocation));
      }, remaining);
    this.#offers.offer(pending);
    return this.#wait(pending, signal);
  }

  stats(): DispatcherStats {
    let inFlight = 0;
    for (const { accepted } of this.#open.values()) if (accepted) inFlight++;
    return { inFlight, queued: this.#open.size - inFlight, capacity: this.#capacity };
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
    this.#offers.stop();
    for (const pending of [...this.#open.values()]) {
      this.#close(pending);
      // The work goes on; its outcome finds the host that takes the run over.
      pending.reject(busy('The dispatcher is stopping.'));
    }
    // Workers wait for the receipts of what was accepted last.
    await this.#tick.defer(() => undefined);
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
        this.#offers.withdraw(pending);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const settled = () => signal.removeEventListener('abort', onAbort);
      pending.outcome.then(
        (outcome) => {
          settled();
          resolve(outcome);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
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
    void this.#tick.defer(() => message.respond(JSON.stringify(receipts)));
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
