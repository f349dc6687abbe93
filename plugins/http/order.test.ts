// The order of checks (HTTP §4): a request that is wrong in several ways is refused for the earliest.

import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WoprError } from '../../kernel/errors.ts';
import { closed } from '../../schemas/build.ts';
import { testAuthenticator, testRoute } from '../../test/support/plugin-host.ts';
import { type Ask, expectEnvelope, startServer, type TestServer } from './testing.ts';

let server: TestServer;
let limited = false;
let refused = false;
const trail: string[] = [];

beforeAll(async () => {
  server = await startServer({
    config: { 'plugins.http.config.bodyLimitBytes': 200 },
    contribute: (host) => {
      host.add(
        'auth',
        'test-auth',
        testAuthenticator({ good: { scopes: new Set(['runs:create']) }, weak: {} }),
      );
      host.add('middleware', 'limits', {
        name: 'limits',
        stage: 'admission',
        order: 0,
        handle: (request, _route, next) => {
          trail.push(`admission of ${request.principal?.keyId ?? 'nobody'}, body ${request.body}`);
          if (limited) throw new WoprError('rate_limited', 'Slow down.', { retryAfterSeconds: 2 });
          return next();
        },
      });
      const execution = (name: string, order: number) =>
        host.add('middleware', name, {
          name,
          stage: 'execution',
          order,
          appliesTo: ({ method }) => method === 'POST',
          handle: async (request, _route, next) => {
            trail.push(`${name} sees ${JSON.stringify(request.body)}`);
            if (refused) throw new WoprError('idempotency_in_flight', 'Busy.', { retryAfterSeconds: 3 });
            const response = await next();
            trail.push(`${name} saw ${response.status}`);
            return response;
          },
        });
      execution('inner', 2);
      execution('outer', 1);
      host.add(
        'routes',
        'POST /v1/things/{thingId}',
        testRoute({
          method: 'POST',
          path: '/v1/things/{thingId}',
          scopes: ['runs:create'],
          params: closed({ thingId: Type.String({ maxLength: 10 }) }),
          query: Type.Object({ size: Type.Optional(Type.Integer({ maximum: 5 })) }),
          body: closed({ name: Type.String() }),
          handle: () => {
            trail.push('handler');
            throw new WoprError('not_found', 'No such thing.');
          },
        }),
      );
    },
  });
});
afterAll(() => server.stop());

/** Each step repairs the mistake of the one before it; all later mistakes remain. */
const steps: [
  what: string,
  status: number,
  code: string,
  path: string,
  ask: Ask,
  limit?: boolean,
  inFlight?: boolean,
][] = [
  ['unknown path', 404, 'not_found', '/v1/nothings/%ff', { method: 'PUT', body: '{' }],
  ['wrong method', 405, 'method_not_allowed', '/v1/things/%ff', { method: 'PUT', body: '{' }],
  ['no credential', 401, 'unauthenticated', '/v1/things/%ff?size=9', { body: '{' }],
  ['unknown credential', 401, 'unauthenticated', '/v1/things/%ff?size=9', { as: 'nobody', body: '{' }],
  ['rate limit', 429, 'rate_limited', '/v1/things/%ff?size=9', { as: 'weak', body: '{' }, true],
  ['scope', 403, 'forbidden', '/v1/things/%ff?size=9', { as: 'weak', body: 'x'.repeat(300) }],
  [
    'size',
    413,
    'payload_too_large',
    '/v1/things/%ff?size=9',
    { as: 'good', body: 'x'.repeat(300), headers: { 'content-type': 'text/plain' } },
  ],
  [
    'media type',
    415,
    'unsupported_media_type',
    '/v1/things/%ff?size=9',
    { as: 'good', body: '{', headers: { 'content-type': 'text/plain' } },
  ],
  ['JSON', 400, 'validation_error', '/v1/things/%ff?size=9', { as: 'good', body: '{' }, false, true],
  [
    'idempotency',
    409,
    'idempotency_in_flight',
    '/v1/things/%ff?size=9',
    { as: 'good', body: '{}' },
    false,
    true,
  ],
  ['path', 400, 'validation_error', '/v1/things/far-too-long?size=9', { as: 'good', body: '{}' }],
  ['query', 400, 'validation_error', '/v1/things/t?size=9', { as: 'good', body: '{}' }],
  ['body', 400, 'validation_error', '/v1/things/t?size=5', { as: 'good', body: '{}' }],
  ['resource', 404, 'not_found', '/v1/things/t', { as: 'good', body: '{"name":"n"}' }],
];

describe('order of checks', () => {
  it.each(steps)('%s', async (_what, status, code, path, ask, limit = false, inFlight = false) => {
    limited = limit;
    refused = inFlight;
    expectEnvelope(await server.ask(path, { method: 'POST', ...ask }), status, code);
    limited = refused = false;
  });

  it('runs admission without a body, then execution middleware from the outside in', async () => {
    trail.length = 0;
    await server.ask('/v1/things/t', { method: 'POST', as: 'good', body: '{"name":"n"}' });
    expect(trail).toEqual([
      'admission of good, body undefined',
      'outer sees {"name":"n"}',
      'inner sees {"name":"n"}',
      'handler',
    ]);
  });

  it('lets admission limit callers whose credential failed', async () => {
    trail.length = 0;
    limited = true;
    expectEnvelope(await server.ask('/v1/things/t', { method: 'POST', as: 'nobody' }), 429, 'rate_limited');
    limited = false;
    expectEnvelope(
      await server.ask('/v1/things/t', { method: 'POST', as: 'nobody' }),
      401,
      'unauthenticated',
    );
    expect(trail).toEqual(['admission of nobody, body undefined', 'admission of nobody, body undefined']);
  });

  it('asks for the missing scope by name', async () => {
    const answer = await server.ask('/v1/things/t', { method: 'POST', as: 'weak' });
    expect(answer.json.details).toEqual({ scopeRequired: 'runs:create' });
  });

  it('names the methods of a path', async () => {
    const answer = await server.ask('/v1/things/t', { method: 'DELETE' });
    expect(answer.headers.allow).toBe('POST');
    expect(answer.json.details).toEqual({ allow: ['POST'] });
  });

  it('asks for a bearer token', async () => {
    const answer = await server.ask('/v1/things/t', { method: 'POST' });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });
});
