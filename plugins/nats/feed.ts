/**
 * Pulls work for a bounded number of jobs. Never asks for more than can begin at once, so that no message ages in a buffer while another
 * worker idles; asks in batches, so that short jobs cost no request each.
 */
import { type Consumer, type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import type { Connection } from './connection.ts';
import type { QueueNames } from './names.ts';

/** Life of a pull request at the server; a new one follows. */
const PULL_MS = 30_000;
/** Silence after which a pull request counts as lost is twice this. */
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 500;
/** Free places are asked for once they are this share of all. */
const BATCH_SHARE = 2;

export interface FeedOptions {
  readonly connection: Connection;
  readonly names: QueueNames;
  readonly concurrency: number;
  readonly logger: Logger;
  /** Makes the streams anew if they are gone. */
  readonly ensure: () => Promise<void>;
  /** Begins a job at once; settles when its place is free again. Never rejects. */
  readonly begin: (message: JsMsg) => Promise<void>;
}

export class WorkFeed {
  readonly #options: FeedOptions;
  readonly #pulls = new Set<ConsumerMessages>();
  #consumer: Consumer | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Places taken by jobs, and promised to open pull requests. */
  #running = 0;
  #asked = 0;
  #asking = false;
  #stopped = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    options.connection.onChange((connected) => {
      // The server forgot the requests of a lost connection.
      for (const pull of this.#pulls) pull.stop();
      if (connected) this.#pull();
    });
    this.#pull();
  }

  /** Asks for nothing more; what has begun goes on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    for (const pull of this.#pulls) pull.stop();
  }

  #pull(): void {
    const { concurrency, connection, logger, names } = this.#options;
    const free = concurrency - this.#running - this.#asked;
    const enough = this.#asked === 0 ? 1 : Math.ceil(concurrency / BATCH_SHARE);
    if (this.#stopped || this.#asking || !connection.connected || free < enough) return;
    this.#asking = true;
    this.#asked += free;
    this.#ask(free).catch((error: unknown) => {
      if (this.#stopped || !connection.connected) return;
      logger.warn({ err: error, queue: names.queue }, 'pulling work failed; trying again');
      this.#consumer = undefined;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#pull(), RETRY_MS);
    });
  }

  /** One pull request, from asking to its last message. */
  async #ask(count: number): Promise<void> {
    let owed = count;
    let failed = true;
    try {
      const pull = await this.#open(count);
      this.#pulls.add(pull);
      this.#asking = false;
      try {
        for await (const message of pull) {
          if (owed > 0) {
            owed--;
            this.#asked--;
          }
          this.#begin(message);
        }
        failed = false;
      } finally {
        this.#pulls.delete(pull);
      }
    } finally {
      this.#asking = false;
      this.#asked -= owed;
      if (!failed) this.#pull();
    }
  }

  async #open(count: number): Promise<ConsumerMessages> {
    const { connection, names, ensure } = this.#options;
    if (!this.#consumer) {
      await ensure();
      this.#consumer = await jetstream(connection.nats).consumers.get(names.workStream, names.consumer);
    }
    return this.#consumer.fetch({ max_messages: count, expires: PULL_MS, idle_heartbeat: HEARTBEAT_MS });
  }

  #begin(message: JsMsg): void {
    if (this.#stopped) {
      message.nak();
      return;
    }
    this.#running++;
    void this.#options.begin(message).then(() => {
      this.#running--;
      this.#pull();
    });
    this.#pull();
  }
}
