/** Rate limits: refuses requests beyond the configured rates before anything else is done for them (HTTP §10.1). */
import { LRUCache } from 'lru-cache';
import { WoprError } from '../../kernel/errors.ts';
import type { Middleware, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { type Limit, TokenBucket } from './token-bucket.ts';

export interface RateLimitConfig {
  readonly perKey: Limit;
  readonly anonymous: Limit;
  readonly global?: Limit;
}

/** Callers remembered; the one not seen for longest is forgotten, which gives it a full burst again. */
const MAX_BUCKETS = 10_000;

export function activate(context: PluginContext<RateLimitConfig>): void {
  context.register(
    'middleware',
    'rate-limit',
    rateLimit(context.config, () => performance.now()),
  );
}

/** `now` in ms of a monotonic clock. */
export function rateLimit(config: RateLimitConfig, now: () => number): Middleware {
  const { perKey, anonymous, global } = config;
  const everyone = global && new TokenBucket(global, now());
  const buckets = new LRUCache<string, TokenBucket>({ max: MAX_BUCKETS });
  const bucketOf = ({ principal, remoteAddress }: RouteRequest, at: number): TokenBucket => {
    // Key ids and addresses cannot be mistaken for each other thanks to the first letter.
    const caller = principal === undefined ? `a${remoteAddress}` : `k${principal.keyId}`;
    let bucket = buckets.get(caller);
    if (bucket === undefined) {
      bucket = new TokenBucket(principal === undefined ? anonymous : perKey, at);
      buckets.set(caller, bucket);
    }
    return bucket;
  };
  return {
    name: 'rate-limit',
    stage: 'admission',
    order: 0,
    handle(request, _route, next) {
      const at = now();
      const own = bucketOf(request, at);
      const wait = own.take(at);
      // The protocol knows no scope for addresses; for anonymous callers the address takes the place of the key.
      if (wait > 0) throw limited('key', wait, request.principal === undefined ? anonymous : perKey);
      if (everyone !== undefined && global !== undefined) {
        const waitForAll = everyone.take(at);
        if (waitForAll > 0) {
          own.giveBack();
          throw limited('global', waitForAll, global);
        }
      }
      return next();
    },
  };
}

function limited(scope: 'key' | 'global', retryAfterMs: number, limit: Limit): WoprError {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const details = { retryAfterMs, scope, limit: Math.max(1, Math.floor(limit.requestsPerSecond)) };
  return new WoprError('rate_limited', `Too many requests; try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
    details,
  });
}
