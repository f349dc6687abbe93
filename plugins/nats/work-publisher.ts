/**
 * Puts invocations into the work stream. The same protocol as the client library's `publish`, without a timer, an error object and a
 * promise for each message: these cost as much as the message itself.
 */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core';

/** What became of an offer. `present`: the invocation is in the stream already. `unknown`: it may or may not have been stored. */
export type Answer =
  | { readonly kind: 'stored'; readonly sequence: number }
  | { readonly kind: 'present' | 'full' }
  | { readonly kind: 'unknown'; readonly reason: string };

interface Offer {
  readonly until: number;
  readonly settle: (answer: Answer) => void;
}

export class WorkPublisher {
  readonly #nats: NatsConnection;
  readonly #inbox: string;
  readonly #timeoutMs: number;
  /** By token, oldest first. */
  readonly #offers = new Map<string, Offer>();
  #tokens = 0;

  constructor(nats: NatsConnection, timeoutMs: number) {
    this.#nats = nats;
    this.#timeoutMs = timeoutMs;
    this.#inbox = createInbox();
    nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#settle(message.subject.slice(this.#inbox.length + 1), answerOf(message));
      },
    });
  }

  /** `settle` is called once, later. */
  offer(subject: string, body: string, settle: Offer['settle']): void {
    const token = (++this.#tokens).toString(36);
    this.#offers.set(token, { until: Date.now() + this.#timeoutMs, settle });
    this.#nats.publish(subject, body, { reply: `${this.#inbox}.${token}` });
  }

  /** Gives up on offers that wait too long; to be called now and then. */
  expire(): void {
    const now = Date.now();
    for (const [token, { until }] of this.#offers) {
      if (until > now) return;
      this.#settle(token, { kind: 'unknown', reason: 'the server did not answer' });
    }
  }

  /** Gives up on every offer: the connection that was to bring the answers is gone. */
  giveUp(): void {
    for (const token of [...this.#offers.keys()])
      this.#settle(token, { kind: 'unknown', reason: 'the connection was lost' });
  }

  #settle(token: string, answer: Answer): void {
    const offer = this.#offers.get(token);
    this.#offers.delete(token);
    offer?.settle(answer);
  }
}

interface PubAck {
  readonly seq?: number;
  readonly error?: { readonly description?: string };
}

/** JetStream answers with JSON; a message without data means that no stream listens on the subject. */
function answerOf(message: Msg): Answer {
  if (message.data.length === 0) return { kind: 'unknown', reason: 'no stream takes the subject' };
  const { seq, error } = message.json<PubAck>();
  if (error === undefined && seq !== undefined) return { kind: 'stored', sequence: seq };
  const reason = error?.description ?? 'the server gave no reason';
  // One error code stands for all limits of a stream; only the description tells them apart.
  if (reason.includes('maximum messages per subject')) return { kind: 'present' };
  if (/maximum (messages|bytes)|insufficient (storage )?resources/.test(reason)) return { kind: 'full' };
  return { kind: 'unknown', reason };
}
