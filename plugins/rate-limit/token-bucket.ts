/** A token bucket: refills evenly, holds at most a burst. */

export interface Limit {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

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
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) / requestsPerSecond) * 1000);
  }

  /** Gives a token back that was taken for a request another limit refused. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + 1);
  }
}
