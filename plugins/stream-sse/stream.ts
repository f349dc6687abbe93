/** One subscriber's stream: frames as events come, keep-alive comments, batching windows, an orderly end (run events §9.3, §9.6). */
import type { StreamMode } from '../../kernel/plugin/points/streams.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { Batch, frameText } from './frames.ts';

export interface EventStreamOptions {
  readonly modes: readonly StreamMode[];
  /** Follows the run; must end when `signal` aborts. */
  readonly follow: (signal: AbortSignal) => AsyncIterable<readonly RunEventDoc[]>;
  readonly keepAliveMs: number;
  readonly retryMs: number;
  /** 0 = one frame per event. */
  readonly bufferMs: number;
  /** The client has gone. */
  readonly signal: AbortSignal;
}

const KEEP_ALIVE = ':keepalive\n\n';
const GOODBYE = ': the host is stopping, connect again\n\n';
/** Events collected in one window at most: what comes beyond goes out earlier. */
const LARGEST_BATCH = 1000;
/** Characters after which a chunk goes out, however many events wait behind it. */
const LARGEST_CHUNK = 64 * 1024;

/**
 * A pull-based stream: nothing is read from the log before the client took what was there, so a slow reader costs one page of events
 * and no more.
 */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #stop = new AbortController();
  #ending = false;
  #keepAliveDue = false;
  #windowOver = false;
  #wake: () => void = () => {};

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** Ends the stream with a comment; the client will connect again. */
  end(): void {
    this.#ending = true;
    this.#wake();
  }

  async *chunks(): AsyncGenerator<string, void, void> {
    const { modes, follow, keepAliveMs, retryMs, bufferMs, signal } = this.#options;
    const gone = () => this.#stop.abort();
    signal.addEventListener('abort', gone, { once: true });
    if (signal.aborted) gone();
    const keepAlive = setInterval(() => {
      this.#keepAliveDue = true;
      this.#wake();
    }, keepAliveMs);
    const batch =
      bufferMs > 0 && modes.every((mode) => mode.batchable === true) ? new Batch(modes) : undefined;
    const source = new Source(follow(this.#stop.signal), () => this.#wake());
    let window: NodeJS.Timeout | undefined;
    let collected = 0;
    try {
      yield `retry: ${retryMs}\n\n`;
      for (;;) {
        const events = this.#ending ? undefined : source.take();
        let text = '';
        let flush = this.#windowOver || this.#ending || source.ended;
        for (const event of events ?? []) {
          if (batch) flush = batch.add(event) || flush;
          else text += frameText(event, modes);
          if (text.length < LARGEST_CHUNK) continue;
          yield text;
          text = '';
        }
        collected += events?.length ?? 0;
        if (batch && (flush || collected >= LARGEST_BATCH)) {
          text += batch.take();
          clearTimeout(window);
          window = undefined;
          this.#windowOver = false;
          collected = 0;
        } else if (batch && !batch.empty && window === undefined) {
          window = setTimeout(() => {
            this.#windowOver = true;
            this.#wake();
          }, bufferMs);
        }
        if (this.#keepAliveDue) {
          this.#keepAliveDue = false;
          text += KEEP_ALIVE;
        }
        if (text !== '') yield text;
        if (this.#ending && !source.ended) yield GOODBYE;
        if (this.#ending || source.ended) return;
        source.pull();
        if (!source.ready && !this.#due()) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', gone);
      clearInterval(keepAlive);
      clearTimeout(window);
      this.#stop.abort();
      await source.close();
    }
  }

  #due(): boolean {
    return this.#keepAliveDue || this.#windowOver || this.#ending;
  }
}

/** Pulls the batches of a follower one at a time and tells when one has come. */
class Source {
  readonly #iterator: AsyncIterator<readonly RunEventDoc[]>;
  readonly #arrived: () => void;
  #batch: readonly RunEventDoc[] | undefined;
  #failure: { readonly error: unknown } | undefined;
  #pulling = false;
  ended = false;

  constructor(batches: AsyncIterable<readonly RunEventDoc[]>, arrived: () => void) {
    this.#iterator = batches[Symbol.asyncIterator]();
    this.#arrived = arrived;
  }

  /** Something to take: a batch, the end, or a failure. */
  get ready(): boolean {
    return this.#batch !== undefined || this.ended || this.#failure !== undefined;
  }

  /** The batch that has come, if any. Throws what the follower threw. */
  take(): readonly RunEventDoc[] | undefined {
    if (this.#failure) throw this.#failure.error;
    const batch = this.#batch;
    this.#batch = undefined;
    return batch;
  }

  /** Asks for the next batch, unless it is asked for or here. */
  pull(): void {
    if (this.#pulling || this.ready) return;
    this.#pulling = true;
    this.#iterator.next().then(
      ({ done, value }) => {
        this.#pulling = false;
        if (done) this.ended = true;
        else this.#batch = value;
        this.#arrived();
      },
      (error: unknown) => {
        this.#pulling = false;
        this.#failure = { error };
        this.#arrived();
      },
    );
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
