/** Wakes what waits in the store: due timers, runs whose host died, signals of other processes. One timer, whatever the number of runs. */
import type { Logger } from 'pino';
import type { Claims } from '../log/types.ts';
import { timerDelay } from './driver.ts';
import type { Runs } from './service.ts';

/** Runs taken per look at the store. */
const BATCH = 100;
/** A pause of so many recovery intervals may have cost the claims. */
const LONG_PAUSE = 3;
/** How long to wait before looking again when runs are due but could not be taken. */
const BUSY_MS = 250;

export interface SchedulerOptions {
  readonly claims: Claims;
  readonly runs: Runs;
  readonly logger: Logger;
  readonly now: () => number;
  /** How often to look for runs of dead hosts, ms; less than a third of the time claims last. */
  readonly recoveryIntervalMs: number;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #recovery: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;
  #looking = false;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Looks once, then keeps looking. Resolves when the first look is done. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#options.claims.onForeignChange(() => this.#foreignChange());
    const { recoveryIntervalMs, runs } = this.#options;
    let last = performance.now();
    this.#recovery = setInterval(() => {
      const pause = performance.now() - last;
      last += pause;
      // Later, so that runs whose end was just committed have left by themselves.
      if (pause > LONG_PAUSE * recoveryIntervalMs) setImmediate(() => runs.dropLost());
      void this.#look();
    }, recoveryIntervalMs);
    await this.#look();
  }

  /** A run was parked until `at` (epoch ms). */
  wakeAt(at: number): void {
    if (this.#stopped || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        // Before the look, which may be under way already: what is due must be able to ask again.
        this.#timerAt = Number.POSITIVE_INFINITY;
        void this.#look();
      },
      timerDelay(at - this.#options.now()),
    );
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#recovery);
    this.#unsubscribe?.();
  }

  #foreignChange(): void {
    this.#options.runs.signalled(this.#options.claims.signalled(BATCH));
    void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    const { claims, runs, now, logger } = this.#options;
    let again: number | undefined;
    try {
      for (;;) {
        const candidates = new Set([...claims.due(now(), BATCH), ...claims.stale(now(), BATCH)]);
        const taken = await Promise.all([...candidates].map((runId) => runs.take(runId)));
        if (this.#stopped) return;
        if (candidates.size < BATCH || !taken.includes(true)) {
          // A run that is due and could not be taken would have us look again at once, and again.
          again = taken.includes(false) ? now() + BUSY_MS : claims.nextWake();
          break;
        }
      }
    } catch (error) {
      if (this.#stopped) return;
      logger.error({ err: error }, 'looking for waiting runs failed; trying again');
      again = now() + BUSY_MS;
    } finally {
      this.#looking = false;
    }
    if (again !== undefined) this.wakeAt(again);
  }
}
