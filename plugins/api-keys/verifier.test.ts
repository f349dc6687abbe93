import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Principal } from '../../kernel/plugin/points/http.ts';
import { generateKey, hashKey } from './key-text.ts';
import type { KeyRow } from './store.ts';
import { KeyVerifier } from './verifier.ts';

const START = 1_000_000;
let now: number;
let rows: Map<string, KeyRow>;
let reads: string[];
let firstUses: Principal[];
let verifier: KeyVerifier;

beforeEach(() => {
  now = START;
  rows = new Map();
  reads = [];
  firstUses = [];
  verifier = new KeyVerifier({
    now: () => now,
    row: (keyId) => {
      reads.push(keyId);
      return rows.get(keyId);
    },
    onFirstUse: (principal) => firstUses.push(principal),
  });
});

async function addKey(overrides: Partial<KeyRow> = {}): Promise<{ keyId: string; text: string }> {
  const key = generateKey(overrides.test === 1);
  rows.set(key.keyId, {
    key_id: key.keyId,
    label: 'test',
    test: 0,
    hash: await hashKey(key.text),
    scopes: '["runs:read"]',
    tenant_ids: '["a","b"]',
    created_at: START,
    expires_at: null,
    revoked_at: null,
    replaced_by: null,
    ...overrides,
  });
  return key;
}

const change = (keyId: string, values: Partial<KeyRow>) => {
  rows.set(keyId, { ...(rows.get(keyId) as KeyRow), ...values });
  verifier.invalidate();
};
const authenticate = async (text: string) => verifier.authenticate(`Bearer ${text}`);

describe('key verifier', () => {
  it('makes a principal of a key', async () => {
    const { keyId, text } = await addKey({ test: 1 });
    expect(await authenticate(text)).toEqual({
      keyId,
      tenantId: 'a',
      tenantIds: ['a', 'b'],
      scopes: new Set(['runs:read']),
      test: true,
    });
  });

  it('hashes a key once, however many requests come at the same time, and then answers at once', async () => {
    const { keyId, text } = await addKey();
    const principals = await Promise.all(Array.from({ length: 64 }, () => authenticate(text)));
    expect(new Set(principals).size).toBe(1);
    expect(reads).toEqual([keyId]);
    expect(firstUses).toHaveLength(1);
    expect(verifier.authenticate(`bearer  ${text} `)).toBe(principals[0]);
    expect(reads).toEqual([keyId]);
  });

  it('leaves credentials of another kind to others', async () => {
    const { text } = await addKey();
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${text}`,
      'Bearer eyJ.eyJ.x',
      `Bearer ${text} x`,
      `Bearer ${text}x`,
    ]) {
      expect(verifier.authenticate(authorization)).toBe(null);
    }
    expect(reads).toEqual([]);
  });

  it('refuses unknown ids and wrong secrets alike, and hashes a wrong one only once', async () => {
    const { keyId, text } = await addKey();
    const wrong = `${text.slice(0, -43)}${'x'.repeat(43)}`;
    const unknown = generateKey(false).text;
    const refusal = { code: 'unauthenticated', message: 'The API key is not valid.' };
    await expect(authenticate(unknown)).rejects.toMatchObject(refusal);
    await expect(authenticate(wrong)).rejects.toMatchObject(refusal);
    reads.length = 0;
    await expect(authenticate(wrong)).rejects.toMatchObject(refusal);
    expect(reads).toEqual([]);
    expect((await authenticate(text))?.keyId).toBe(keyId);
    expect(firstUses).toHaveLength(1);
  });

  it('accepts a key that appears after it was tried', async () => {
    const { keyId, text } = await addKey();
    const row = rows.get(keyId) as KeyRow;
    rows.delete(keyId);
    await expect(authenticate(text)).rejects.toMatchObject({ code: 'unauthenticated' });
    rows.set(keyId, row);
    expect((await authenticate(text))?.keyId).toBe(keyId);
  });

  it.each([
    ['revoked', { revoked_at: START }, 'key_revoked'],
    ['expired', { expires_at: START }, 'key_expired'],
  ])('refuses a %s key by name, but only to those who have it', async (_what, values, code) => {
    const { text } = await addKey(values);
    await expect(authenticate(text)).rejects.toMatchObject({ code });
    await expect(authenticate(text)).rejects.toMatchObject({ code });
    const wrong = `${text.slice(0, -43)}${'x'.repeat(43)}`;
    await expect(authenticate(wrong)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(firstUses).toEqual([]);
  });

  it('notices expiry to the millisecond, and changes as soon as it is told', async () => {
    const { keyId, text } = await addKey({ expires_at: START + 1_000 });
    await authenticate(text);
    now = START + 999;
    await authenticate(text);
    now = START + 1_000;
    await expect(authenticate(text)).rejects.toMatchObject({ code: 'key_expired' });
    change(keyId, { expires_at: null, scopes: '["runs:cancel"]' });
    expect((await authenticate(text))?.scopes).toEqual(new Set(['runs:cancel']));
    change(keyId, { revoked_at: now });
    await expect(authenticate(text)).rejects.toMatchObject({ code: 'key_revoked' });
    rows.delete(keyId);
    verifier.invalidate();
    await expect(authenticate(text)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('does not miss a revocation that happens while it hashes', async () => {
    const { keyId, text } = await addKey();
    const pending = authenticate(text);
    change(keyId, { revoked_at: now });
    await expect(pending).rejects.toMatchObject({ code: 'key_revoked' });
  });

  it('hashes a bounded number of guesses at once', async () => {
    const { text } = await addKey();
    const guess = (i: number) => `${text.slice(0, -43)}${String(i).padStart(43, '0')}`;
    const guesses = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => authenticate(guess(i))));
    const codes = guesses.map((result) => (result.status === 'rejected' ? result.reason.code : 'accepted'));
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(32);
    expect(codes.filter((code) => code === 'service_unavailable')).toHaveLength(8);
    await vi.waitFor(async () => expect(await authenticate(text)).toBeTruthy());
  });

  it('accepts fixed keys of any form without the store', () => {
    const principal: Principal = {
      keyId: 'bootstrap',
      tenantId: 't',
      tenantIds: ['t'],
      scopes: new Set(),
      test: false,
    };
    verifier.addFixed('any-thing', principal);
    expect(verifier.authenticate('Bearer any-thing')).toBe(principal);
    expect(verifier.authenticate('Bearer any-thin')).toBe(null);
    expect(reads).toEqual([]);
  });
});
