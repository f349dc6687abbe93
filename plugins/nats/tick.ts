import type { NatsConnection } from '@nats-io/nats-core';

/**
 * Collects what is to be sent during one turn of the event loop and sends it together, so that the client writes to its socket once per
 * turn: under load the writes cost more than the messages.
 */
export class Tick {
  readonly #nats: NatsConnection;
  #jobs: (() => void)[] = [];

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Runs `job` at the end of this turn, unless the connection is closing: then nothing can be sent any more. */
  defer(job: () => void): void {
    if (this.#jobs.push(job) > 1) return;
    setImmediate(() => {
      const jobs = this.#jobs;
      this.#jobs = [];
      if (this.#nats.isClosed() || this.#nats.isDraining()) return;
      for (const each of jobs) each();
    });
  }
}
