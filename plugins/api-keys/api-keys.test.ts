// The plugin on a real store, over HTTP: life and death of keys, bootstrap keys, what is logged, other processes.
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryStores } from '../../kernel/log/testing.ts';
import { startHost, type TestHost, testHostService, testRoute } from '../../test/support/plugin-host.ts';
import { openKeyStore, SCOPES } from './contract.ts';

let stores: ReturnType<typeof temporaryStores>;
let host: TestHost | undefined;
beforeEach(() => {
  stores = temporaryStores();
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  await stores.remove();
});

async function start(config: Record<string, string> = {}): Promise<TestHost> {
  const { database, claims } = stores.open();
  host = await startHost({
    plugins: ['http', 'api-keys', 'discovery'],
    services: { database, claims, host: testHostService() },
    config: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`plugins.api-keys.config.${key}`, value]),
    ),
    contribute: (created) => {
      created.add('routes', 'GET /v1/runs/{runId}', testRoute({ path: '/v1/runs/{runId}' }));
      created.add(
        'routes',
        'GET /v1/special',
        testRoute({ path: '/v1/special', scopes: ['vendor.acme:special'], operationId: 'b' }),
      );
      created.add(
        'routes',
        'GET /v1/manifest',
        testRoute({ path: '/v1/manifest', scopes: ['manifest:read'], operationId: 'c' }),
      );
    },
  });
  return host;
}

async function get(path: string, key: string): Promise<[number, string | undefined]> {
  const base = host?.plugins.service('httpServer')?.address();
  const { statusCode, body } = await request(`${base}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const { error } = (await body.json()) as { error?: string };
  return [statusCode, error];
}

const keysOf = (from: TestHost) => from.plugins.service('apiKeys') as NonNullable<ReturnType<typeof service>>;
const service = (from: TestHost) => from.plugins.service('apiKeys');

const OK = [200, undefined];
const REVOKED = [401, 'key_revoked'];

describe('API keys', () => {
  it('work from creation to revocation, at once', async () => {
    const keys = keysOf(await start());
    const { key, secret } = await keys.create({ label: 'ci', scopes: ['runs:read'] });
    expect(await get('/v1/runs/r', secret)).toEqual(OK);
    expect(await get('/v1/manifest', secret)).toEqual([403, 'forbidden']);
    expect(await get('/v1/runs/r', `${secret}x`)).toEqual([401, 'unauthenticated']);
    await keys.revoke(key.keyId);
    expect(await get('/v1/runs/r', secret)).toEqual(REVOKED);
  });

  it('rotate: both work, then the old one is revoked early', async () => {
    const keys = keysOf(await start());
    const old = await keys.create({ label: 'ci', scopes: ['runs:read'] });
    const { secret } = await keys.rotate(old.key.keyId);
    expect(await get('/v1/runs/r', old.secret)).toEqual(OK);
    expect(await get('/v1/runs/r', secret)).toEqual(OK);
    await keys.revoke(old.key.keyId);
    expect(await get('/v1/runs/r', old.secret)).toEqual(REVOKED);
    expect(await get('/v1/runs/r', secret)).toEqual(OK);
  });

  it('made and revoked through another handle on the store are seen by a running host', async () => {
    await start();
    const elsewhere = openKeyStore(stores.open().database);
    const { key, secret } = await elsewhere.create({ label: 'cli', scopes: ['runs:read'] });
    expect(await get('/v1/runs/r', secret)).toEqual(OK);
    await elsewhere.revoke(key.keyId);
    await vi.waitFor(async () => expect(await get('/v1/runs/r', secret)).toEqual(REVOKED), {
      timeout: 1_000,
      interval: 20,
    });
  });

  it('survive a restart', async () => {
    const { secret } = await keysOf(await start()).create({ label: 'ci', scopes: ['runs:read'] });
    await host?.stop();
    await start();
    expect(await get('/v1/runs/r', secret)).toEqual(OK);
  });

  it('leave their traces in the log, but no key material', async () => {
    const started = await start({ bootstrapKey: 'bootstrap-secret', lowScopeKey: 'low-scope-secret' });
    const keys = keysOf(started);
    const first = await keys.create({ label: 'ci', scopes: ['runs:read'] });
    await get('/v1/runs/r', first.secret);
    await get('/v1/runs/r', first.secret);
    await get('/v1/runs/r', `${first.secret.slice(0, -43)}${'x'.repeat(43)}`);
    await get('/v1/runs/r', 'bootstrap-secret');
    const second = await keys.rotate(first.key.keyId);
    await keys.revoke(second.key.keyId);
    await get('/v1/runs/r', second.secret);
    const events = started.logged
      .filter(({ event }) => event !== undefined)
      .map(({ event, keyId }) => [event, keyId]);
    expect(events).toEqual([
      ['key.created', first.key.keyId],
      ['key.used', first.key.keyId],
      ['key.created', second.key.keyId],
      ['key.rotated', first.key.keyId],
      ['key.revoked', second.key.keyId],
    ]);
    const text = started.log;
    for (const { secret } of [first, second]) expect(text).not.toContain(secret.slice(-43));
    expect(text).not.toMatch(/bootstrap-secret|low-scope-secret|scrypt\$/);
  });
});

describe('configured keys', () => {
  it('bootstrap with every scope, those of plugins included', async () => {
    const started = await start({ bootstrapKey: 'bootstrap-secret' });
    expect(await get('/v1/runs/r', 'bootstrap-secret')).toEqual(OK);
    expect(await get('/v1/special', 'bootstrap-secret')).toEqual(OK);
    expect(await get('/v1/runs/r', 'bootstrap-secreT')).toEqual([401, 'unauthenticated']);
    const authenticator = started.plugins.extensions.get('auth', 'api-keys');
    const principal = await authenticator?.authenticate('Bearer bootstrap-secret');
    expect(principal).toMatchObject({ keyId: 'bootstrap', tenantId: 'default', test: false });
    expect([...(principal?.scopes ?? [])]).toEqual(expect.arrayContaining([...SCOPES]));
  });

  it('read only, with the low scope key', async () => {
    await start({ bootstrapKey: 'bootstrap-secret', lowScopeKey: 'low-scope-secret' });
    expect(await get('/v1/runs/r', 'low-scope-secret')).toEqual(OK);
    expect(await get('/v1/manifest', 'low-scope-secret')).toEqual(OK);
    expect(await get('/v1/special', 'low-scope-secret')).toEqual([403, 'forbidden']);
  });

  it('are test keys if they look like ones', async () => {
    const started = await start({ bootstrapKey: 'hk_test_bootstrap' });
    const authenticator = started.plugins.extensions.get('auth', 'api-keys');
    expect(await authenticator?.authenticate('Bearer hk_test_bootstrap')).toMatchObject({ test: true });
  });

  it('must differ', async () => {
    await expect(start({ bootstrapKey: 'same-secret', lowScopeKey: 'same-secret' })).rejects.toThrow(
      'must differ',
    );
  });

  it('are asked for, once, when there is no other key', async () => {
    const hint = 'wopr keys create';
    const first = await start();
    expect(first.logged.filter(({ msg }) => String(msg).includes(hint))).toHaveLength(1);
    await keysOf(first).create({ label: 'ci', scopes: ['runs:read'] });
    await first.stop();
    expect((await start()).log).not.toContain(hint);
    await host?.stop();
  });

  it('are not asked for with a bootstrap key', async () => {
    expect((await start({ bootstrapKey: 'bootstrap-secret' })).log).not.toContain('wopr keys create');
  });
});

describe('discovery', () => {
  it('names the test prefix and the profile', async () => {
    await start();
    const base = host?.plugins.service('httpServer')?.address();
    const document = await (await fetch(`${base}/.well-known/openwop`)).json();
    const auth = { profiles: ['openwop-auth-api-key-rotation'] };
    expect(document).toMatchObject({
      testing: { testKeyPrefix: 'hk_test_' },
      auth,
      capabilities: { auth },
      extensions: { auth },
    });
  });
});
