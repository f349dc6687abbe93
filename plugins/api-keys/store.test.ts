import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryStores } from '../../kernel/log/testing.ts';
import type { ApiKey } from './contract.ts';
import { keyIdOf, matchesHash } from './key-text.ts';
import { type KeyStore, openKeyStore } from './store.ts';

let stores: ReturnType<typeof temporaryStores>;
let now: number;
let keys: KeyStore;
let changes: [string, ApiKey][];

beforeEach(() => {
  stores = temporaryStores();
  now = Date.parse('2026-01-02T03:04:05Z');
  changes = [];
  keys = openKeyStore(stores.open().database, {
    now: () => now,
    onChange: (event, key) => changes.push([event, key]),
  });
});
afterEach(() => stores.remove());

const request = { label: 'ci', scopes: ['runs:create', 'runs:read', 'runs:read'], tenantIds: ['a', 'b'] };

describe('key store', () => {
  it('issues keys that say what they are and stores only their hash', async () => {
    expect(keys.isEmpty()).toBe(true);
    const live = await keys.create(request);
    const test = await keys.create({ ...request, test: true });
    expect(live.secret).toMatch(/^hk_live_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(test.secret).toMatch(/^hk_test_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(keyIdOf(live.secret)).toBe(live.key.keyId);
    expect(live.key).toEqual({
      keyId: live.key.keyId,
      label: 'ci',
      test: false,
      scopes: ['runs:create', 'runs:read'],
      tenantIds: ['a', 'b'],
      createdAt: '2026-01-02T03:04:05.000Z',
      expiresAt: null,
      revokedAt: null,
      replacedBy: null,
      status: 'active',
    });
    expect(keys.isEmpty()).toBe(false);
    expect(
      keys
        .list()
        .map(({ keyId }) => keyId)
        .sort(),
    ).toEqual([live.key.keyId, test.key.keyId].sort());

    const row = keys.row(live.key.keyId);
    const secret = live.secret.slice(-43);
    expect(JSON.stringify([row, keys.list(), changes])).not.toContain(secret);
    expect(await matchesHash(live.secret, row?.hash ?? '')).toBe(true);
    expect(await matchesHash(live.secret.replace('live', 'test'), row?.hash ?? '')).toBe(false);
    expect(row?.hash).not.toBe(keys.row(test.key.keyId)?.hash);
  });

  it.each([
    ['label', { label: '' }],
    ['label', { label: 'x'.repeat(101) }],
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['everything'] }],
    ['scopes', { scopes: ['runs:read', 'Runs:Read'] }],
    ['tenantIds', { tenantIds: [] }],
    ['tenantIds', { tenantIds: [''] }],
    ['expiresAt', { expiresAt: 0 }],
    ['expiresAt', { expiresAt: Number.NaN }],
  ])('refuses a bad %s: %o', async (field, bad) => {
    await expect(keys.create({ ...request, ...bad })).rejects.toMatchObject({
      code: 'validation_error',
      details: { errors: [{ path: `/${field}` }] },
    });
    expect(keys.isEmpty()).toBe(true);
    expect(changes).toEqual([]);
  });

  it('revokes once and for good', async () => {
    const { key } = await keys.create(request);
    now += 1_000;
    expect(await keys.revoke(key.keyId)).toMatchObject({
      status: 'revoked',
      revokedAt: '2026-01-02T03:04:06.000Z',
    });
    now += 1_000;
    expect(await keys.revoke(key.keyId)).toMatchObject({ revokedAt: '2026-01-02T03:04:06.000Z' });
    expect(changes.map(([event]) => event)).toEqual(['key.created', 'key.revoked']);
    await expect(keys.revoke('unknown')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('rotates: both keys work through the grace window, then only the new one', async () => {
    const old = await keys.create({ ...request, test: true });
    now += 1_000;
    const { key, secret, replaced } = await keys.rotate(old.key.keyId, 60);
    expect(secret).not.toBe(old.secret);
    expect(key).toMatchObject({
      label: 'ci',
      test: true,
      scopes: old.key.scopes,
      tenantIds: ['a', 'b'],
      expiresAt: null,
    });
    expect(replaced).toMatchObject({
      keyId: old.key.keyId,
      status: 'active',
      expiresAt: '2026-01-02T03:05:06.000Z',
      replacedBy: key.keyId,
    });
    now += 60_000;
    expect(keys.list().map(({ status }) => status)).toEqual(['expired', 'active']);
    expect(changes.map(([event]) => event)).toEqual(['key.created', 'key.created', 'key.rotated']);
  });

  it('rotates with a day of grace by default, but never extends a life', async () => {
    const open = await keys.create(request);
    expect((await keys.rotate(open.key.keyId)).replaced.expiresAt).toBe('2026-01-03T03:04:05.000Z');
    const short = await keys.create({ ...request, expiresAt: now + 5_000 });
    expect((await keys.rotate(short.key.keyId)).replaced.expiresAt).toBe('2026-01-02T03:04:10.000Z');
  });

  it('rotates each key once, and only while it works', async () => {
    const { key } = await keys.create(request);
    const both = await Promise.allSettled([keys.rotate(key.keyId), keys.rotate(key.keyId)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(keys.list()).toHaveLength(2);
    await expect(keys.rotate(key.keyId)).rejects.toMatchObject({ code: 'conflict' });
    const { key: gone } = await keys.create(request);
    await keys.revoke(gone.keyId);
    await expect(keys.rotate(gone.keyId)).rejects.toMatchObject({ code: 'conflict' });
    await expect(keys.rotate('unknown')).rejects.toMatchObject({ code: 'not_found' });
    await expect(keys.rotate(key.keyId, -1)).rejects.toMatchObject({ code: 'validation_error' });
  });
});
