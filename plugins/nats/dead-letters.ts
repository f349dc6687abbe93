/** The dead-letter stream: work that no worker could finish, kept for people to look at. */
import { type JetStreamClient, type JsMsg, jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { QueueNames } from './names.ts';

export class DeadLetters {
  readonly #jetstream: JetStreamClient;
  readonly #names: QueueNames;
  readonly #logger: Logger;

  constructor(nats: NatsConnection, names: QueueNames, logger: Logger) {
    this.#jetstream = jetstream(nats);
    this.#names = names;
    this.#logger = logger;
  }

  /** Resolves once the copy is stored; the same message twice is stored once. The original stays in the queue until it is acknowledged. */
  async put(message: JsMsg, reason: 'undeliverable' | 'unclaimed', why: string): Promise<void> {
    const { streamSequence, deliveryCount, stream } = message.info;
    const fields = headers();
    fields.set('Wopr-Reason', reason);
    fields.set('Wopr-Message', why.replace(/[\r\n]+/g, ' '));
    fields.set('Wopr-Subject', message.subject);
    fields.set('Wopr-Sequence', String(streamSequence));
    fields.set('Wopr-Deliveries', String(deliveryCount));
    await this.#jetstream.publish(this.#names.deadSubject, message.data, {
      headers: fields,
      msgID: `${stream}:${streamSequence}:${reason}`,
    });
    this.#logger.error(
      { reason, why, queue: this.#names.queue, deliveries: deliveryCount },
      'work set aside',
    );
  }
}
