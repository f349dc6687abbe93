/** Notices commits of other connections (other processes on the same file) by polling SQLite's `data_version`. */
import type { Logger } from 'pino';
import type { Database, Statement } from './database.types.ts';

const POLL_INTERVAL_MS = 150;

const DATA_VERSION: Statement = { sql: 'PRAGMA data_version' };

export class ForeignChanges {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #version: number | undefined;

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** Calls `listener` within about 150 ms of a foreign commit. Polls only while somebody listens; never keeps the process alive. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#version = this.#read();
      this.#timer = setInterval(() => this.#poll(), POLL_INTERVAL_MS).unref();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    try {
      const version = this.#read();
      if (version === this.#version) return;
      this.#version = version;
    } catch (error) {
      this.#logger.error({ err: error }, 'cannot poll the store for foreign changes');
      return;
    }
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener for foreign changes threw');
      }
    }
  }

  #read(): number | undefined {
    return this.#database.get<{ data_version: number }>(DATA_VERSION)?.data_version;
  }
}
