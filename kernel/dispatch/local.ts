/** The embedded dispatcher: executes nodes in this process, bounded in concurrency and in what waits. */
import type { Logger } from 'pino';
import { WoprError } from '../errors.ts';
import { execute } from './execute.ts';
import type { Dispatcher, DispatcherStats, Invocation, NodeType, Outcome } from './types.ts';

export interface LocalDispatcherOptions {
  readonly nodeTypes: (typeId: string) => NodeType | undefined;
  /** Nodes executed at once. */
  readonly concurrency: number;
  /** Invocations that may wait for a free place. */
  readonly queueLimit: number;
  readonly logger: Logger;
}

export function createLocalDispatcher(options: LocalDispatcherOptions): Dispatcher {
  return new LocalDispatcher(options);
}

class LocalDispatcher implements Dispatcher {
  readonly name = 'local';
  readonly #options: LocalDispatcherOptions;
  readonly #stopping = new AbortController();
  /** Outcomes in the making, by invocation id. */
  readonly #shared = new Map<string, Promise<Outcome>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(options: LocalDispatcherOptions) {
    this.#options = options;
  }

  async dispatch(invocation: Invocation, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const shared = this.#shared.get(invocation.invocationId);
    if (shared) return abortable(shared, signal);
    const { concurrency, queueLimit } = this.#options;
    if (this.#draining) throw stopped();
    if (this.#running >= concurrency && this.#waiting.length >= queueLimit)
      throw busy('The dispatch queue is full.');
    const outcome = this.#run(invocation, signal);
    this.#shared.set(invocation.invocationId, outcome);
    return abortable(
      outcome.finally(() => this.#shared.delete(invocation.invocationId)),
      signal,
    );
  }

  stats(): DispatcherStats {
    const { concurrency, queueLimit } = this.#options;
    return { inFlight: this.#running, queued: this.#waiting.length, capacity: concurrency + queueLimit };
  }

  async stop(graceMs: number): Promise<void> {
    this.#draining = true;
    if (this.#running > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#onIdle = resolve;
        }),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs);
        }),
      ]);
      clearTimeout(timer);
    }
    this.#stopping.abort(new Error('the dispatcher stopped'));
  }

  async #run(invocation: Invocation, signal: AbortSignal): Promise<Outcome> {
    if (this.#running >= this.#options.concurrency) await this.#turn(signal);
    else this.#running += 1;
    try {
      const type = this.#options.nodeTypes(invocation.typeId);
      const stopping = this.#stopping.signal;
      const outcome = await execute(
        type,
        invocation,
        AbortSignal.any([signal, stopping]),
        this.#options.logger,
      );
      // A node cut short by a shutdown has not failed: whoever takes the run over executes it again.
      if (stopping.aborted && outcome.kind === 'failed' && outcome.error.code === 'node_aborted')
        throw stopped();
      return outcome;
    } finally {
      const next = this.#waiting.shift();
      if (next)
        next(); // takes over this place
      else {
        this.#running -= 1;
        if (this.#running === 0) this.#onIdle?.();
      }
    }
  }

  /** Waits for a place; an abort gives the place in the queue up. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(take);
    });
  }
}

/** Rejects as soon as the caller no longer wants the outcome. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function stopped(): WoprError {
  return busy('The dispatcher is stopping.');
}

function busy(message: string): WoprError {
  return new WoprError('service_unavailable', message, { retryAfterSeconds: 1 });
}
