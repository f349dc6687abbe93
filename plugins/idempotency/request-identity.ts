/** What makes two requests the same: the key they share, and the digest of what they ask for (HTTP §8.2). */
import { createHash } from 'node:crypto';
import { WoprError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/plugin/points/http.ts';
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

/** `sha256(tenantId:METHOD path:key)` in hex. Test keys have a key space of their own: they must not see live data (HTTP §7.3). */
export function cacheKeyOf(caller: Principal, method: string, path: string, key: string): string {
  const tenant = caller.test ? `test/${caller.tenantId}` : caller.tenantId;
  return sha256(`${tenant}:${method} ${path}:${key}`);
}

/** Digest of the body: the order of object members does not matter. */
export function bodyDigest(body: JsonValue | undefined): string {
  return sha256(body === undefined ? '' : canonicalJson(body));
}

/** The parser of the HTTP plugin bounds the depth, so recursion is safe. */
function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
