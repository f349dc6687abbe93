/** Brings outcomes to the host that wants them, however long that takes within bounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, RequestError } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { failedOutcome } from '../../kernel/dispatch/execute.ts';
import type { Outcome } from '../../kernel/dispatch/types.ts';
import type { Connection } from './connection.ts';
import type { QueueNames } from './names.ts';
import type { Tick } from './tick.ts';
import { decodeReceipts, encodeResult, joinResults, type Receipt } from './wire.ts';

/** Time a host has to take an outcome; it only needs to look it up in memory. */
const ANSWER_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** A message takes no further result beyond this length; far below what any server transports. */
const BATCH_CHARACTERS = 16_384;
const BRACKETS = 2;

interface Entry {
  readonly result: string;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly entries: Entry[];
  length: number;
}

export class OutcomeSender {
  readonly #connection: Connection;
  readonly #names: QueueNames;
  readonly #holdMs: number;
  readonly #logger: Logger;
  readonly #tick: Tick;
  readonly #batches = new Map<string, Batch>();

  constructor(connection: Connection, tick: Tick, names: QueueNames, holdMs: number, logger: Logger) {
    this.#connection = connection;
    this.#names = names;
    this.#tick = tick;
    this.#holdMs = holdMs;
    this.#logger = logger;
  }

  /**
   * Offers the outcome to the host that dispatched the invocation (`replyTo`) and, when that is gone, to all hosts: one that has taken the
   * run over asks for the same invocation and takes it. `unclaimed` when none did within the hold time, `stopped` when `signal` aborts.
   */
  async send(
    key: string,
    outcome: Outcome,
    replyTo: string | undefined,
    signal: AbortSignal,
  ): Promise<'accepted' | 'dropped' | 'unclaimed' | 'stopped'> {
    const result = this.#encode(key, outcome);
    const until = Date.now() + this.#holdMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      let receipt = replyTo === undefined ? 'unknown' : await this.#offer(replyTo, result);
      if (receipt === 'unknown') receipt = await this.#offer(this.#names.outcomeSubject, result);
      if (receipt !== 'unknown') return receipt;
      if (signal.aborted) return 'stopped';
      if (Date.now() >= until) return 'unclaimed';
      if (pause === FIRST_PAUSE_MS) this.#logger.info({ key }, 'no host takes the outcome; holding it');
      await sleep(pause, undefined, { signal }).catch(() => undefined); // the loop looks at the signal
      if (signal.aborted) return 'stopped';
    }
  }

  /** Joins the next message to that subject; results that end together travel together. */
  #offer(subject: string, result: string): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const batch = this.#batches.get(subject);
      const entry = { result, resolve, reject };
      if (batch && batch.length + result.length < BATCH_CHARACTERS) {
        batch.entries.push(entry);
        batch.length += result.length;
        return;
      }
      const fresh: Batch = { entries: [entry], length: result.length };
      this.#batches.set(subject, fresh);
      void this.#tick.defer(() => {
        if (this.#batches.get(subject) === fresh) this.#batches.delete(subject);
        void this.#send(subject, fresh.entries);
      });
    });
  }

  async #send(subject: string, entries: readonly Entry[]): Promise<void> {
    try {
      const body = joinResults(entries.map(({ result }) => result));
      const answer = await this.#connection.nats.request(subject, body, { timeout: ANSWER_MS });
      const receipts = decodeReceipts(answer.string());
      entries.forEach(({ resolve }, index) => {
        resolve(receipts[index] ?? 'unknown');
      });
    } catch (error) {
      // Nobody there, nobody who wants it, or the connection is down: all of them may change.
      const passing = error instanceof RequestError || error instanceof errors.TimeoutError;
      for (const { resolve, reject } of entries) {
        if (passing) resolve('unknown');
        else reject(error);
      }
    }
  }

  #encode(key: string, outcome: Outcome): string {
    const result = encodeResult(key, outcome);
    const limit = (this.#connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - BRACKETS;
    // At most three bytes per UTF-16 unit: most results need no counting.
    if (result.length * 3 <= limit) return result;
    const bytes = Buffer.byteLength(result);
    if (bytes <= limit) return result;
    const message = `The outcome takes ${bytes} bytes; the NATS server transports at most ${limit}.`;
    return encodeResult(key, failedOutcome('dispatch_failed', message));
  }
}
