/**
 * Makes commits durable beside the work. SQLite itself is told not to sync after each commit (`synchronous = NORMAL` in WAL mode keeps
 * the file consistent); instead the WAL is synced from the thread pool, and a write is acknowledged only when a sync that began after its
 * commit has ended. What `synchronous = FULL` promises, without holding the event loop for the disk. See design note 007.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

export class WalSync {
  readonly #path: string;
  #file: number | undefined;
  #running = false;
  /** Waiting for a sync that begins from now on. */
  #waiting: ((error: Error | null) => void)[] = [];

  /** `path`: of the store; its WAL lies beside it. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /**
   * Calls back when everything committed so far is on disk, or with why it may not be. `now` waits here: waking another thread takes as
   * long as a fast disk does, which is only worth it when others have something to do meanwhile.
   */
  after(done: (error: Error | null) => void, now = false): void {
    this.#waiting.push(done);
    if (now) this.flush();
    else if (!this.#running) this.#next();
  }

  /** As `after` for everything that waits, at once. */
  flush(): void {
    const waiting = this.#take();
    if (waiting.length === 0) return;
    let failure: Error | null = null;
    try {
      fdatasyncSync(this.#open());
    } catch (error) {
      failure = error as Error;
    }
    for (const done of waiting) done(failure);
  }

  close(): void {
    this.flush();
    if (this.#file !== undefined && !this.#running) closeSync(this.#file);
    this.#file = undefined;
  }

  #next(): void {
    const waiting = this.#take();
    let file: number;
    try {
      file = this.#open();
    } catch (error) {
      for (const done of waiting) done(error as Error);
      return;
    }
    this.#running = true;
    fdatasync(file, (error) => {
      this.#running = false;
      if (this.#file === undefined) closeSync(file);
      for (const done of waiting) done(error);
      if (this.#waiting.length > 0 && !this.#running) this.#next();
    });
  }

  #take(): ((error: Error | null) => void)[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** Opened at the first use, when the WAL exists for sure. It is never replaced while a connection is open. */
  #open(): number {
    this.#file ??= openSync(this.#path, 'r+');
    return this.#file;
  }
}
