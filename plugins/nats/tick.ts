/**
 * Collects what is to be sent during one turn of the event loop and sends it together, so that the client writes to its socket once per
 * turn: under load the writes cost more than the messages.
 */
import type { NatsConnection } from '@nats-io/nats-core';

export class Tick {
  readonly #nats: NatsConnection;
  #sends: (() => void)[] = [];
  #turn: Promise<void> | undefined;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Calls `send` at the end of this turn, and resolves then. Not called if the connection is closing: nothing can be sent any more. */
  defer(send: () => void): Promise<void> {
    this.#sends.push(send);
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        const sends = this.#sends;
        this.#sends = [];
        this.#turn = undefined;
        for (const each of sends) this.now(each);
        resolve();
      });
    });
    return this.#turn;
  }

  /** Calls `send` at once, unless the connection is closing. */
  now(send: () => void): void {
    if (!this.#nats.isClosed() && !this.#nats.isDraining()) send();
  }
}
