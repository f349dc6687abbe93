/** What makes two requests the same: the key they share, and the digest of what they ask for (HTTP §8.2). */
import { createHash } from 'node:crypto';
import { WoprError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/plugin/points/http.ts';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import type { JsonValue } from '../../schemas/json.ts';

const LONGEST_KEY = 255;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Checks the value of `Idempotency-Key`. Errors: `validation_error`, which is never stored. */
export function checkKey(header: string | readonly string[]): string {
  const key = typeof header === 'string' ? header.trim() : '';
  if (key.length >= 1 && key.length <= LONGEST_KEY && PRINTABLE.test(key)) return key;
  const message = `Idempotency-Key must be 1 to ${LONGEST_KEY} printable ASCII characters.`;
  throw new WoprError('validation_error', message, {
    details: { errors: [{ in: 'header', path: '/idempotency-key', message }] },
  });
}

/**
 * `sha256(tenantId:METHOD path:key)` in hex. The tenant is the one the request acts for: a credential of another tenant that sends the
 * same body must not get its answer. Test keys have a key space of their own: they must not see live data (HTTP §7.3).
 */
export function cacheKeyOf(
  caller: Principal,
  { method, path, body }: IdentifiedRequest,
  key: string,
): string {
  const tenant = actsFor(caller, body);
  return sha256(`${caller.test ? `test/${tenant}` : tenant}:${method} ${path}:${key}`);
}

export interface IdentifiedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: JsonValue | undefined;
}

/** The tenant a body names if the caller may use it; what names a foreign one is refused later, in the caller's own key space. */
function actsFor(caller: Principal, body: JsonValue | undefined): string {
  const named = typeof body === 'object' && body !== null && !Array.isArray(body) ? body.tenantId : undefined;
  return typeof named === 'string' && caller.tenantIds.includes(named) ? named : caller.tenantId;
}

/** Digest of the body: the order of object members does not matter. */
export function bodyDigest(body: JsonValue | undefined): string {
  return sha256(body === undefined ? '' : canonicalJson(body));
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
