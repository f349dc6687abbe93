/** A token bucket: refills evenly, holds at most a burst. */

export interface Limit {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

/** Tokens are fractions summed up many times over: what is missing by less than this is a rounding error. */
const TOLERANCE = 1e-6;

export class TokenBucket {
  readonly #limit: Limit;
  #tokens: number;
  #at: number;

  /** Starts full. `now` in ms of any monotonic clock. */
  constructor(limit: Limit, now: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#at = now;
  }

  /** Takes a token and returns 0, or takes none and returns the milliseconds until there will be one. */
  take(now: number): number {
    const { requestsPerSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * requestsPerSecond);
    this.#at = now;
    const missing = 1 - this.#tokens;
    if (missing <= TOLERANCE) {
      this.#tokens = Math.max(0, this.#tokens - 1);
      return 0;
    }
    return Math.ceil(((missing - TOLERANCE) / requestsPerSecond) * 1000);
  }

  /** Gives a token back that was taken for a request another limit refused. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + 1);
  }
}
