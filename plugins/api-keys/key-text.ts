/** The text of a key, `hk_live_<id>_<secret>` or `hk_test_…`, and its hash. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

export const TEST_PREFIX = 'hk_test_';
const LIVE_PREFIX = 'hk_live_';

const FORM = /^hk_(?:live|test)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** A new key with a random id and 32 random bytes. */
export function generateKey(test: boolean): { readonly keyId: string; readonly text: string } {
  const keyId = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { keyId, text: `${test ? TEST_PREFIX : LIVE_PREFIX}${keyId}_${secret}` };
}

/** Id of a well-formed key; undefined for any other text. */
export function keyIdOf(text: string): string | undefined {
  return FORM.exec(text)?.[1];
}

// About 30 ms and 16 MB on a server of 2024: paid once per key and process, see verifier.ts.
const COST = { N: 2 ** 14, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const STORED = /^scrypt\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;

/** `scrypt$<salt>$<hash>` over the whole text, so that a key cannot change its kind or id. */
export async function hashKey(text: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt$${salt.toString('base64url')}$${(await derive(text, salt)).toString('base64url')}`;
}

/** Compares in constant time. */
export async function matchesHash(text: string, stored: string): Promise<boolean> {
  const [, salt, hash] = STORED.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('a stored API key hash is not readable');
  return timingSafeEqual(await derive(text, Buffer.from(salt, 'base64url')), Buffer.from(hash, 'base64url'));
}

function derive(text: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, COST, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}
