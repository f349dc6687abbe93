/** Brings outcomes to the host that wants them, however long that takes within bounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, RequestError } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { failedOutcome } from '../../kernel/dispatch/execute.ts';
import type { Outcome } from '../../kernel/dispatch/types.ts';
import type { Connection } from './connection.ts';
import type { QueueNames } from './names.ts';
import { encodeOutcome, type Receipt } from './wire.ts';

/** Time a host has to take an outcome; it only needs to look it up in memory. */
const ANSWER_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export class OutcomeSender {
  readonly #connection: Connection;
  readonly #names: QueueNames;
  readonly #holdMs: number;
  readonly #logger: Logger;

  constructor(connection: Connection, names: QueueNames, holdMs: number, logger: Logger) {
    this.#connection = connection;
    this.#names = names;
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
  ): Promise<Receipt | 'unclaimed' | 'stopped'> {
    const body = this.#body(key, outcome);
    const until = Date.now() + this.#holdMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const receipt =
        (replyTo === undefined ? undefined : await this.#offer(replyTo, body)) ??
        (await this.#offer(this.#names.outcomeSubject, body));
      if (receipt !== undefined) return receipt;
      if (signal.aborted) return 'stopped';
      if (Date.now() >= until) return 'unclaimed';
      if (pause === FIRST_PAUSE_MS) this.#logger.info({ key }, 'no host takes the outcome; holding it');
      await sleep(pause, undefined, { signal }).catch(() => undefined); // the loop looks at the signal
      if (signal.aborted) return 'stopped';
    }
  }

  async #offer(subject: string, body: string): Promise<Receipt | undefined> {
    try {
      const answer = await this.#connection.nats.request(subject, body, { timeout: ANSWER_MS });
      return answer.string() === 'accepted' ? 'accepted' : 'dropped';
    } catch (error) {
      // Nobody there, nobody who wants it, or the connection is down: all of them may change.
      if (error instanceof RequestError || error instanceof errors.TimeoutError) return undefined;
      throw error;
    }
  }

  #body(key: string, outcome: Outcome): string {
    const body = encodeOutcome(key, outcome);
    const limit = this.#connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY;
    const bytes = Buffer.byteLength(body);
    if (bytes <= limit) return body;
    const message = `The outcome takes ${bytes} bytes; the NATS server transports at most ${limit}.`;
    return encodeOutcome(key, failedOutcome('dispatch_failed', message));
  }
}
