/** Repeated requests, one active run per scope, and regions. */
import type { Requirement } from './types.ts';

export const IDEMPOTENCY_REQUIREMENTS = [
  {
    id: 'idempotency.same-run',
    level: 'MUST',
    text: 'The same key with the same body gives the same run and starts no second one.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.replay-header',
    level: 'MUST',
    text: 'A replayed answer carries openwop-Idempotent-Replay: true.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.fresh-header',
    level: 'MUST',
    text: 'A fresh answer never carries openwop-Idempotent-Replay: true.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.stored-answer',
    level: 'MUST',
    text: 'A replay repeats the stored status and body.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.mismatch',
    level: 'MUST',
    text: 'The same key with another body is answered with 409 and not with the stored body.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.mismatch-code',
    level: 'SHOULD',
    text: 'The code for a reused key with another body is idempotency_key_mismatch.',
    source: 'HTTP §6.3',
  },
  {
    id: 'idempotency.endpoint-separation',
    level: 'MUST',
    text: 'One key used on two endpoints, or on the same one for two runs, stands for two operations.',
    source: 'HTTP §8.2',
  },
  {
    id: 'idempotency.mutating-routes',
    level: 'MUST',
    text: 'Cancel honours the key like run creation does.',
    source: 'HTTP §8.1',
  },
  {
    id: 'idempotency.get-ignores',
    level: 'MUST',
    text: 'A GET neither needs nor honours the key.',
    source: 'HTTP §3',
  },
  {
    id: 'idempotency.key-length',
    level: 'MUST',
    text: 'A key of 255 characters is accepted and a longer one refused with 400 validation_error.',
    source: 'HTTP §2.4',
  },
  {
    id: 'idempotency.refusals-not-kept',
    level: 'MUST',
    text: 'A 400 or 401 does not use up the key.',
    source: 'HTTP §8.4',
  },
  {
    id: 'idempotency.scope-refusal-not-kept',
    level: 'MUST',
    text: 'A 403 does not use up the key.',
    source: 'HTTP §8.4',
  },
  {
    id: 'idempotency.final-refusals-kept',
    level: 'MUST',
    text: 'A final refusal such as 404 is replayed.',
    source: 'HTTP §8.4',
  },
  {
    id: 'idempotency.parallel',
    level: 'MUST',
    text: 'Ten identical requests at once give 2xx or 409 and exactly one run.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.in-flight',
    level: 'MUST',
    text: 'A request refused because its twin is still executing is 409 idempotency_in_flight with a positive details.retryAfter.',
    source: 'HTTP §8.3',
  },
  {
    id: 'idempotency.canonical-body',
    level: 'SHOULD',
    text: 'Bodies that differ only in spacing or key order count as the same.',
    source: 'HTTP §8.2',
  },

  {
    id: 'idempotency.retries',
    level: 'MUST',
    text: 'At least five retries with one key, 100 ms apart and even after the run has ended, keep yielding the stored answer.',
    source: 'HTTP §8.5',
  },
  {
    id: 'idempotency.retry-429',
    level: 'MUST',
    text: 'Fast retries that are rate limited carry Retry-After, and succeed after that wait.',
    source: 'HTTP §8.5',
  },
  {
    id: 'idempotency.retention',
    level: 'MUST',
    text: 'An advertised retention of stored answers is at least 24 hours.',
    source: 'HTTP §8.2',
  },
  {
    id: 'idempotency.region.enum',
    level: 'MUST',
    text: 'crossRegion is single-region, best-effort or strict.',
    source: 'HTTP §11.1',
  },
  {
    id: 'idempotency.region.advertised',
    level: 'SHOULD',
    text: 'An idempotency block always says what holds across regions.',
    source: 'HTTP §11.1',
  },
  {
    id: 'idempotency.region.retention',
    level: 'MUST',
    text: 'Advertised retention values are positive whole numbers.',
    source: 'HTTP §11.1',
  },
  {
    id: 'idempotency.region.converges',
    level: 'MUST',
    text: 'Retries of one key in two regions end with the same run, the one with the lower runId, in both.',
    source: 'HTTP §11.1',
  },
  {
    id: 'idempotency.region.strict',
    level: 'MUST',
    text: 'Strict regions answer one key with one run from the first request on.',
    source: 'HTTP §11.1',
  },

  {
    id: 'dedup.collision',
    level: 'MUST',
    text: 'With X-Dedup: enforce a second active run of a scope is refused with 409 run_already_active, naming the active run and its host.',
    source: 'HTTP §9',
  },
  {
    id: 'dedup.retry-after',
    level: 'MUST',
    text: 'The collision carries Retry-After, equal to details.retryAfter when that is sent.',
    source: 'HTTP §9',
  },
  { id: 'dedup.release', level: 'MUST', text: 'The claim ends with the run.', source: 'HTTP §9' },
  {
    id: 'dedup.scope',
    level: 'MUST',
    text: 'Another scope, or a request without the header, is not affected.',
    source: 'HTTP §9',
  },
  {
    id: 'dedup.keyed-replay',
    level: 'MUST',
    text: 'A keyed replay of the winning request gets its stored answer, not the collision.',
    source: 'HTTP §9',
  },
  {
    id: 'dedup.header-value',
    level: 'SHOULD',
    text: 'Another header value, or enforce without scopeId, is refused with 400 validation_error.',
    source: 'HTTP §9',
  },
] as const satisfies readonly Requirement[];
