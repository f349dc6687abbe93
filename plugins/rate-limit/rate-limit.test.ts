import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WoprError } from '../../kernel/errors.ts';
import type { RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import {
  startHost,
  type TestHost,
  testAuthenticator,
  testHostService,
  testRoute,
} from '../../test/support/plugin-host.ts';
import { type RateLimitConfig, rateLimit } from './index.ts';

const WIDE = { requestsPerSecond: 1_000_000, burst: 1_000_000 };

describe('rate limit', () => {
  let now: number;
  beforeEach(() => {
    now = 0;
  });

  /** One request; the details of its refusal, or undefined when it went through. */
  function ask(limit: ReturnType<typeof rateLimit>, keyId: string | undefined, remoteAddress = '10.0.0.1') {
    const principal = keyId === undefined ? undefined : { keyId };
    const next = async (): Promise<RouteResponse> => ({ status: 200 });
    try {
      limit.handle({ principal, remoteAddress } as RouteRequest, testRoute({ path: '/v1/x' }), next);
      return undefined;
    } catch (error) {
      if (error instanceof WoprError && error.code === 'rate_limited') {
        return { ...error.details, retryAfterSeconds: error.retryAfterSeconds };
      }
      throw error;
    }
  }
  const create = (config: Partial<RateLimitConfig>) =>
    rateLimit({ perKey: WIDE, anonymous: WIDE, ...config }, () => now);

  it('counts each key for itself', () => {
    const limit = create({ perKey: { requestsPerSecond: 0.4, burst: 2 } });
    expect([ask(limit, 'a'), ask(limit, 'a'), ask(limit, 'b')]).toEqual([undefined, undefined, undefined]);
    expect(ask(limit, 'a')).toEqual({ retryAfterMs: 2_500, retryAfterSeconds: 3, scope: 'key', limit: 1 });
    expect(ask(limit, undefined)).toBeUndefined();
    now = 3_000;
    expect(ask(limit, 'a')).toBeUndefined();
  });

  it('counts anonymous callers by address', () => {
    const limit = create({ anonymous: { requestsPerSecond: 20, burst: 1 } });
    expect(ask(limit, undefined, '10.0.0.1')).toBeUndefined();
    expect(ask(limit, undefined, '10.0.0.1')).toEqual({
      retryAfterMs: 50,
      retryAfterSeconds: 1,
      scope: 'key',
      limit: 20,
    });
    expect(ask(limit, undefined, '10.0.0.2')).toBeUndefined();
    // A key that is spelled like an address is still a key.
    expect(ask(limit, '10.0.0.1')).toBeUndefined();
  });

  it('counts all together, at the expense of nobody whom that refuses', () => {
    const limit = create({
      perKey: { requestsPerSecond: 1, burst: 1 },
      global: { requestsPerSecond: 10, burst: 1 },
    });
    expect(ask(limit, 'a')).toBeUndefined();
    expect(ask(limit, 'b')).toMatchObject({ scope: 'global', retryAfterMs: 100, limit: 10 });
    now = 100;
    expect(ask(limit, 'b')).toBeUndefined();
  });

  it('remembers a bounded number of callers', () => {
    const limit = create({ anonymous: { requestsPerSecond: 0.001, burst: 1 } });
    ask(limit, undefined, 'first');
    for (let i = 0; i < 10_000; i++) ask(limit, undefined, `other-${i}`);
    expect(ask(limit, undefined, 'other-9999')).toBeDefined();
    expect(ask(limit, undefined, 'first')).toBeUndefined();
  });
});

describe('over HTTP', () => {
  let host: TestHost;
  afterEach(() => host.stop());

  async function start(config: Record<string, number> = {}) {
    host = await startHost({
      plugins: ['http', 'rate-limit', 'discovery'],
      services: { host: testHostService() },
      config: Object.fromEntries(
        Object.entries(config).map(([key, value]) => [`plugins.rate-limit.config.${key}`, value]),
      ),
      contribute: (created) => {
        created.add(
          'auth',
          'test-auth',
          testAuthenticator({ key: { scopes: new Set(['runs:read']) }, weak: {} }),
        );
        created.add('routes', 'GET /v1/thing', testRoute({ path: '/v1/thing' }));
      },
    });
    const base = host.plugins.service('httpServer')?.address();
    return (path: string, as?: string) =>
      fetch(`${base}${path}`, as === undefined ? {} : { headers: { authorization: `Bearer ${as}` } });
  }

  it('answers as the protocol says, on discovery too', async () => {
    const get = await start({ 'anonymous.requestsPerSecond': 0.1, 'anonymous.burst': 1 });
    expect((await get('/.well-known/openwop')).status).toBe(200);
    const refused = await get('/.well-known/openwop');
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    const body = (await refused.json()) as { details: { retryAfterMs: number } };
    expect(body).toEqual({
      error: 'rate_limited',
      message: `Too many requests; try again in ${seconds} s.`,
      details: { retryAfterMs: expect.any(Number), scope: 'key', limit: 1 },
    });
    expect(seconds).toBe(Math.ceil(body.details.retryAfterMs / 1000));
  });

  it('refuses before it looks at scopes', async () => {
    const get = await start({ 'perKey.requestsPerSecond': 0.1, 'perKey.burst': 1 });
    expect((await get('/v1/thing', 'weak')).status).toBe(403);
    expect((await get('/v1/thing', 'weak')).status).toBe(429);
    expect((await get('/v1/thing', 'key')).status).toBe(200);
  });

  it('disturbs nobody by default', async () => {
    const get = await start();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) => get('/v1/thing', i % 2 ? 'key' : undefined)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
    for (const answer of answers) await answer.text();
  });
});
