/** Requests and refusals in general: envelope, paths, bodies, rate limits. */
import type { Requirement } from './types.ts';

export const HTTP_REQUIREMENTS = [
  {
    id: 'http.error.envelope-closed',
    level: 'MUST',
    text: 'Every error body is JSON with non-empty error and message, an optional details object, and no other top-level key.',
    source: 'HTTP §6.1',
  },
  {
    id: 'http.error.snake-case',
    level: 'SHOULD',
    text: 'Error codes are written in snake_case.',
    source: 'HTTP §6.1',
  },
  {
    id: 'http.error.no-echo',
    level: 'MUST',
    text: 'No error body repeats a credential, shows a stack trace or names a file of the implementation.',
    source: 'HTTP §6.1',
  },
  {
    id: 'http.error.not-found',
    level: 'MUST',
    text: 'Something absent or invisible is answered with 404 not_found.',
    source: 'HTTP §6.3',
  },
  {
    id: 'http.error.unknown-path',
    level: 'SHOULD',
    text: 'A path below /v1/ that no route serves is answered with 404 not_found.',
    source: 'HTTP §1',
  },
  {
    id: 'http.error.unversioned-root',
    level: 'MUST',
    text: 'A request to a protocol root without version is answered with 400.',
    source: 'HTTP §1',
  },
  {
    id: 'http.error.malformed-body',
    level: 'MUST',
    text: 'A body that is not JSON, or not of the documented shape, is answered with 400 validation_error.',
    source: 'HTTP §5.1',
  },
  {
    id: 'http.error.content-type',
    level: 'MUST',
    text: 'A body of another media type than JSON is refused with a 4xx in the envelope.',
    source: 'HTTP §1',
  },
  {
    id: 'http.error.unknown-workflow',
    level: 'MUST',
    text: 'A run of an unknown workflow is refused with 400 validation_error.',
    source: 'HTTP §5.1',
  },
  {
    id: 'http.error.unknown-field',
    level: 'SHOULD',
    text: 'An unknown top-level key of the run request is refused with 400 validation_error.',
    source: 'HTTP §5.1',
  },
  {
    id: 'http.error.hostile-ids',
    level: 'MUST',
    text: 'An identifier outside its bounds or with hostile characters is a client error, never a server error.',
    source: 'HTTP §2.4',
  },
  {
    id: 'http.error.method',
    level: 'MUST',
    text: 'A method that a route does not have is a client error in the envelope.',
    source: 'HTTP §1',
  },
  {
    id: 'http.error.run-options',
    level: 'MUST',
    text: 'Too many or too long tags and a recursionLimit that is no whole number of at least 1 are refused with 400 validation_error.',
    source: 'HTTP §13',
  },
  {
    id: 'http.error.metadata-bounds',
    level: 'SHOULD',
    text: 'Run metadata above 8192 bytes or deeper than four levels is refused with 400 validation_error.',
    source: 'HTTP §13.5',
  },

  {
    id: 'http.rate-limit.code',
    level: 'MUST',
    text: 'A rate limit is answered with 429 rate_limited in the closed envelope.',
    source: 'HTTP §10.1',
  },
  {
    id: 'http.rate-limit.retry-after',
    level: 'MUST',
    text: 'A 429 carries Retry-After in whole seconds.',
    source: 'HTTP §10.1',
  },
  {
    id: 'http.rate-limit.details',
    level: 'SHOULD',
    text: 'A 429 says in details which scope the limit has and, in milliseconds that agree with Retry-After, how long to wait.',
    source: 'HTTP §10.1',
  },
  {
    id: 'http.rate-limit.recovers',
    level: 'MUST',
    text: 'A request sent after the announced wait is not refused again.',
    source: 'HTTP §8.5',
  },
  {
    id: 'http.shed.envelope',
    level: 'MUST',
    text: 'A request shed under load gets 429 or 503 with the matching code and Retry-After.',
    source: 'HTTP §10',
  },

  {
    id: 'http.openapi.public',
    level: 'MUST',
    text: 'The OpenAPI document is served without a credential, in version 3.1 or later.',
    source: 'HTTP §2.1',
  },
  {
    id: 'http.openapi.covers',
    level: 'SHOULD',
    text: 'The OpenAPI document describes every required route the host serves.',
    source: 'HTTP §2.1',
  },
  {
    id: 'http.route.required',
    level: 'MUST',
    text: 'The routes every host needs for workflows, runs, events and cancel answer requests.',
    source: 'HTTP §2.1',
  },
  {
    id: 'http.route.fork',
    level: 'MUST',
    text: 'A host that advertises replay serves the fork route and validates fromSeq.',
    source: 'HTTP §5.6',
  },
  {
    id: 'http.route.pause-resume',
    level: 'MUST',
    text: 'A host that advertises pause and resume answers both on a finished run with 409 conflict and details.runStatus.',
    source: 'HTTP §5.7',
  },
  {
    id: 'http.route.interrupts',
    level: 'MUST',
    text: 'A host that advertises interrupts answers an unknown one with 404 interrupt_not_found.',
    source: 'HTTP §5.8',
  },
  {
    id: 'http.route.artifacts',
    level: 'MUST',
    text: 'A host that describes the artifact route answers an unknown artifact with 404 or 403 in the envelope.',
    source: 'HTTP §5.9',
  },
  {
    id: 'http.route.webhooks',
    level: 'MUST',
    text: 'A host that advertises webhooks validates a registration and answers the removal of an unknown one with 204, 403 or 404.',
    source: 'HTTP §5.9',
  },
  {
    id: 'http.route.debug-bundle',
    level: 'MUST',
    text: 'A debug bundle is served when it is advertised, and answered with 404 when not.',
    source: 'HTTP §2.2',
  },
] as const satisfies readonly Requirement[];
