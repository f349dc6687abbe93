/**
 * Copies the WAL into the store file beside the work, not inside a commit, and keeps the WAL file long enough to be overwritten:
 * making a commit durable takes about half the time when it does not also make the file longer.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Connection } from './sqlite.ts';

/** WAL pages (4 KiB) not yet in the store file at which copying begins. */
const COPY_AT_PAGES = 3_000;

/** WAL length at which a commit no longer leaves the copying to the thread: it is late or dead. */
const COPY_HERE_AT_PAGES = 4 * COPY_AT_PAGES;

/** How often a flush looks at the WAL; the first look starts the thread, so short commands never have one. */
const FLUSHES_PER_LOOK = 16;

/** Reports the WAL and copies nothing (SQLite before 3.51 copies what it can). */
const LOOK = 'PRAGMA wal_checkpoint(NOOP)';
const COPY = 'PRAGMA wal_checkpoint(PASSIVE)';

export type ToWorker = 'copy' | 'close';

export class Checkpointer {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #logger: Logger;
  #worker: Worker | undefined;
  #state: 'idle' | 'copying' | 'copied' | 'failed' = 'idle';
  #flushes = 0;

  constructor(connection: Connection, path: string, logger: Logger) {
    this.#connection = connection;
    this.#path = path;
    this.#logger = logger;
  }

  /** To be called after each flush, outside a transaction. */
  afterFlush(): void {
    this.#flushes += 1;
    if (this.#state !== 'copied' && this.#flushes % FLUSHES_PER_LOOK !== 0) return;
    try {
      this.#look();
    } catch (error) {
      this.#logger.error({ err: error }, 'cannot checkpoint the store; trying again later');
    }
  }

  /** Ends the thread; closing the last connection then copies the rest. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker || this.#state === 'failed') return;
    this.#worker = undefined;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage('close' satisfies ToWorker);
    await ended;
  }

  #look(): void {
    const { log, checkpointed } = this.#connection.prepare(LOOK).get() as {
      log: number;
      checkpointed: number;
    };
    const worker = this.#worker ?? this.#start();
    if (this.#state === 'copied') {
      this.#state = 'idle';
      // Commits made meanwhile are the only thing that keeps the WAL from starting over, and they are few.
      if (log > checkpointed) this.#connection.prepare(COPY).get();
    } else if (log >= COPY_HERE_AT_PAGES) {
      this.#connection.prepare(COPY).get();
    } else if (this.#state === 'idle' && log - checkpointed >= COPY_AT_PAGES) {
      this.#state = 'copying';
      worker.postMessage('copy' satisfies ToWorker);
    }
  }

  #start(): Worker {
    // The thread runs whichever form of the file exists: source, or what a build made of it.
    const file = import.meta.url.endsWith('.ts') ? './checkpoint-worker.ts' : './checkpoint-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { path: this.#path } });
    worker.unref();
    worker.on('message', () => {
      if (this.#state === 'copying') this.#state = 'copied';
    });
    worker.on('error', (error) => {
      this.#state = 'failed';
      this.#logger.error({ err: error }, 'the checkpoint thread failed; commits now checkpoint themselves');
    });
    this.#worker = worker;
    return worker;
  }
}
