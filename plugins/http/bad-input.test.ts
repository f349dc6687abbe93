// Malformed requests at every level: the right status and code in the closed envelope, and nothing repeated that could be a secret.
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WoprError } from '../../kernel/errors.ts';
import { closed } from '../../schemas/build.ts';
import { bounded, nonEmpty } from '../../schemas/common.ts';
import type { JsonValue } from '../../schemas/json.ts';
import { testAuthenticator, testRoute } from '../../test/support/plugin-host.ts';
import { type Ask, expectEnvelope, parseRaw, startServer, type TestServer } from './testing.ts';

let server: TestServer;
let seen: unknown;

beforeAll(async () => {
  server = await startServer({
    config: {
      'plugins.http.config.maxJsonDepth': 5,
      'plugins.http.config.bodyLimitBytes': 100_000,
      'plugins.http.config.maxHeaderBytes': 4096,
      'plugins.http.config.requestTimeoutMs': 400,
    },
    contribute: (host) => {
      host.add('auth', 'test-auth', testAuthenticator({ key: { scopes: new Set(['runs:read']) } }));
      const route = (overrides: Parameters<typeof testRoute>[0]) => {
        const made = testRoute({
          handle: (request) => {
            const { params, query, body } = request;
            seen = { params, query, body };
            return { status: 200, body: { params } };
          },
          ...overrides,
        });
        host.add('routes', `${made.method} ${made.path}`, made);
      };
      const params = closed({ runId: bounded(1, 128) });
      route({ path: '/v1/runs/{runId}', params });
      route({ path: '/v1/runs/{runId}:fork', method: 'POST', params });
      route({ path: '/v1/free/{any}' });
      route({
        path: '/v1/search',
        query: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1 })),
          ratio: Type.Optional(Type.Number()),
          deep: Type.Optional(Type.Boolean()),
          tag: Type.Optional(Type.Array(Type.String())),
          name: Type.Optional(Type.String()),
        }),
      });
      route({
        path: '/v1/runs',
        method: 'POST',
        body: closed({
          workflowId: nonEmpty(),
          inputs: Type.Optional(Type.Unsafe<JsonValue>({})),
          tags: Type.Optional(Type.Array(Type.String())),
        }),
      });
      route({
        path: '/v1/optional',
        method: 'POST',
        body: closed({ reason: Type.Optional(Type.String()) }),
        bodyOptional: true,
      });
      route({ path: '/v1/tiny', method: 'POST', body: Type.Unsafe<JsonValue>({}), bodyLimit: 10 });
      const failing = (name: string, error: () => unknown) =>
        route({
          path: `/v1/failing/${name}`,
          handle: () => {
            throw error();
          },
        });
      failing('error', () => new Error('password=hunter2 at /etc/secret'));
      failing('string', () => 'hunter2');
      failing('undefined', () => undefined);
      failing('run-code', () => new WoprError('store_corrupt', 'hunter2'));
      failing('busy', () => new WoprError('service_unavailable', 'Busy.', { retryAfterSeconds: 7 }));
      failing('busy-unsure', () => new WoprError('service_unavailable', 'Busy.'));
      failing(
        'active',
        () =>
          new WoprError('run_already_active', 'Taken.', {
            retryAfterSeconds: 4,
            details: { activeRunId: 'r' },
          }),
      );
      failing(
        'limit',
        () =>
          new WoprError('rate_limited', 'Slow.', {
            retryAfterSeconds: 2,
            details: { retryAfterMs: 1_234, scope: 'key' },
          }),
      );
      failing('limit-unsure', () => new WoprError('rate_limited', 'Slow.'));
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      route({ path: '/v1/failing/circular', handle: () => ({ status: 200, body: circular }) });
    },
  });
});
afterAll(() => server.stop());

const post = (body: string | Buffer, headers: Record<string, string> = {}): Ask => ({
  method: 'POST',
  as: 'key',
  body,
  headers,
});
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const run = (inputs: string) => `{"workflowId":"w","inputs":${inputs}}`;

describe('paths', () => {
  it.each([
    ['/runs', 400, 'validation_error'],
    ['/', 400, 'validation_error'],
    ['/v2/runs', 400, 'validation_error'],
    ['/v1', 400, 'validation_error'],
    ['//v1/runs/r', 400, 'validation_error'],
    ['/v1/', 404, 'not_found'],
    ['/v1/nothing', 404, 'not_found'],
    ['/v1/runs/', 404, 'not_found'],
    ['/v1/runs/a/b', 404, 'not_found'],
    ['/v1/runs/../runs/r', 404, 'not_found'],
    ['/v1/%', 404, 'not_found'],
    ['/%zz', 400, 'validation_error'],
    ['/.well-known/nothing', 404, 'not_found'],
    ['/v1/runs/%', 400, 'validation_error'],
    ['/v1/runs/%zz', 400, 'validation_error'],
    ['/v1/runs/%ff', 400, 'validation_error'],
    ['/v1/runs/a%00b', 400, 'validation_error'],
    ['/v1/free/%00', 400, 'validation_error'],
    [`/v1/runs/${'x'.repeat(129)}`, 400, 'validation_error'],
    [`/v1/runs/${'%C3%A4'.repeat(129)}`, 400, 'validation_error'],
  ])('%s', async (path, status, code) => {
    expectEnvelope(await server.ask(path, { as: 'key' }), status, code);
  });

  it.each([
    ['/v1/runs/r1', 'r1'],
    ['/v1/runs/a%2Fb', 'a/b'],
    ['/v1/runs/..', '..'],
    ['/v1/runs/a.b.c', 'a.b.c'],
    ['/v1/runs/a%3Afork', 'a:fork'],
    ['/v1/runs/%25', '%'],
    ['/v1/runs/%E2%82%AC', '€'],
    ['/v1/runs/__proto__', '__proto__'],
    [`/v1/runs/${'x'.repeat(128)}`, 'x'.repeat(128)],
    ['/v1/runs/r1?x=%zz', 'r1'],
  ])('decodes %s', async (path, runId) => {
    const answer = await server.ask(path, { as: 'key' });
    expect(answer).toMatchObject({ status: 200, json: { params: { runId } } });
  });

  it('takes a colon verb off the raw segment before decoding', async () => {
    const answer = await server.ask('/v1/runs/a%3Afork%2F:fork', { method: 'POST', as: 'key' });
    expect(answer.json).toEqual({ params: { runId: 'a:fork/' } });
    expectEnvelope(await server.ask('/v1/runs/a:fork', { as: 'key' }), 405, 'method_not_allowed');
  });

  it('accepts the absolute form of a request target', async () => {
    const text = await server.raw(
      'GET http://anywhere/v1/nothing?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expectEnvelope(parseRaw(text), 404, 'not_found');
  });

  it.each(['PROPFIND', 'TRACE', 'OPTIONS', 'QUERY', 'PATCH'])('refuses the method %s', async (method) => {
    const text = await server.raw(`${method} /v1/runs/r HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answer = parseRaw(text);
    expectEnvelope(answer, 405, 'method_not_allowed');
    expect(answer.headers.allow).toBe('GET, HEAD');
  });
});

describe('credentials', () => {
  it.each([
    ['/v1/runs/r', {}],
    ['/v1/runs/%ff', {}],
    ['/v1/runs/r', { authorization: '' }],
    ['/v1/runs/r', { authorization: 'Bearer' }],
    ['/v1/runs/r', { authorization: 'Basic a2V5OmtleQ==' }],
    ['/v1/runs/r', { authorization: 'Bearer hunter2-is-no-key' }],
  ])('%s with %o', async (path, headers) => {
    const answer = await server.ask(path, { headers: headers as Record<string, string> });
    expectEnvelope(answer, 401, 'unauthenticated');
    expect(answer.text).not.toMatch(/hunter2|a2V5/);
  });
});

describe('queries', () => {
  it.each([
    'limit=0',
    'limit=x',
    'limit=',
    'limit=1.5',
    'limit=1&limit=2',
    'limit=99999999999999999999',
    'ratio=1e3',
    'deep=yes',
  ])('%s', async (query) => {
    const answer = await server.ask(`/v1/search?${query}`, { as: 'key' });
    expectEnvelope(answer, 400, 'validation_error');
    expect(answer.json.details.errors).toEqual([
      { in: 'query', path: `/${query.split('=')[0]}`, message: expect.stringMatching(/^Must be/) },
    ]);
  });

  it('leaves values as text for the handler', async () => {
    await server.ask('/v1/search?limit=3&ratio=-0.5&deep=true&tag=a&name=%C3%A4+b&other=%zz', { as: 'key' });
    expect(seen).toMatchObject({
      query: { limit: '3', ratio: '-0.5', deep: 'true', tag: 'a', name: 'ä b', other: '%zz' },
    });
  });

  it('accepts lists and ignores keys it does not know', async () => {
    expect((await server.ask('/v1/search?tag=a&tag=b&__proto__=x', { as: 'key' })).status).toBe(200);
    expect(seen).toMatchObject({ query: { tag: ['a', 'b'] } });
  });
});

describe('bodies', () => {
  it.each([
    ['nothing', undefined, 400, 'validation_error'],
    ['an empty text', '', 400, 'validation_error'],
    ['broken JSON', '{"workflowId": hunter2}', 400, 'validation_error'],
    ['two values', '{} {}', 400, 'validation_error'],
    ['a byte order mark', '\ufeff{"workflowId":"w"}', 400, 'validation_error'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'validation_error'],
    ['null', 'null', 400, 'validation_error'],
    ['a list', '[]', 400, 'validation_error'],
    ['a missing field', '{}', 400, 'validation_error'],
    ['an unknown field', '{"workflowId":"w","hunter2":1}', 400, 'validation_error'],
    ['a wrong type', '{"workflowId":7}', 400, 'validation_error'],
    ['a prototype', run('{"__proto__":{"admin":true}}'), 400, 'validation_error'],
    ['an escaped prototype', run('{"\\u005f_proto__":1}'), 400, 'validation_error'],
    ['deep nesting', run(nested(5)), 400, 'validation_error'],
    ['very deep nesting', run(nested(40_000)), 400, 'validation_error'],
    ['too many bytes', run(`"${'x'.repeat(100_000)}"`), 413, 'payload_too_large'],
  ])('%s', async (_what, body, status, code) => {
    const ask: Ask = body === undefined ? { method: 'POST', as: 'key' } : post(body);
    const answer = await server.ask('/v1/runs', ask);
    expectEnvelope(answer, status, code);
    if (_what === 'broken JSON') expect(answer.text).not.toContain('hunter2');
  });

  it.each([
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': '' }],
    [{ 'content-type': 'nonsense' }],
    [{ 'content-type': 'application/x-www-form-urlencoded' }],
    [{ 'content-type': 'application/json; charset=latin1' }],
    [{ 'content-encoding': 'gzip' }],
  ] as Record<string, string>[][])('%o', async (headers) => {
    expectEnvelope(
      await server.ask('/v1/runs', post('{"workflowId":"w"}', headers)),
      415,
      'unsupported_media_type',
    );
  });

  it.each([
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; x=y',
  ])('accepts %s', async (type) => {
    const answer = await server.ask('/v1/runs', post(run(nested(4)), { 'content-type': type }));
    expect(answer.status).toBe(200);
  });

  it('reports every mistake of a body, each with its place', async () => {
    const answer = await server.ask('/v1/runs', post('{"tags":[1,"x",2],"workflow":"w"}'));
    expect(answer.json.details.errors).toEqual(
      expect.arrayContaining([
        { in: 'body', path: '/workflowId', message: 'Missing required property "workflowId".' },
        { in: 'body', path: '/tags/0', message: 'Must be a string, got a number.' },
        { in: 'body', path: '/tags/2', message: 'Must be a string, got a number.' },
        { in: 'body', path: '/workflow', message: 'Unknown property "workflow". Did you mean "workflowId"?' },
      ]),
    );
  });

  it('reports only the first mistake of a large one', async () => {
    const answer = await server.ask(
      '/v1/runs',
      post(JSON.stringify({ workflowId: 'w', tags: Array(40_000).fill(1) })),
    );
    expectEnvelope(answer, 400, 'validation_error');
    expect(answer.json.details.errors).toHaveLength(1);
  });

  it('keeps to the limit of a route, declared or streamed', async () => {
    const declared = await server.ask('/v1/tiny', post('"12345678901"'));
    expectEnvelope(declared, 413, 'payload_too_large');
    expect(declared.json.details).toEqual({ limitBytes: 10 });
    const chunked = `POST /v1/tiny HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const chunks = '6\r\n"12345\r\n6\r\n67890"\r\n0\r\n\r\n';
    expectEnvelope(parseRaw(await server.raw(chunked + chunks)), 413, 'payload_too_large');
    expect(parseRaw(await server.raw(`${chunked}3\r\n"1"\r\n0\r\n\r\n`)).status).toBe(200);
  });

  it('lets an optional body be absent, but not wrong', async () => {
    expect((await server.ask('/v1/optional', { method: 'POST', as: 'key' })).status).toBe(200);
    expect((await server.ask('/v1/optional', post('{"reason":"r"}'))).status).toBe(200);
    expectEnvelope(await server.ask('/v1/optional', post('null')), 400, 'validation_error');
  });
});

describe('failures of handlers', () => {
  it.each(['error', 'string', 'undefined', 'run-code', 'circular'])('hides the cause: %s', async (name) => {
    server.host.logged.length = 0;
    const answer = await server.ask(`/v1/failing/${name}`, { as: 'key' });
    expectEnvelope(answer, 500, 'internal_error');
    expect(answer.text).not.toContain('hunter2');
    const { correlationId } = answer.json.details;
    expect(server.host.logged).toContainEqual(
      expect.objectContaining({
        level: 50,
        msg: 'request failed',
        correlationId,
        route: `/v1/failing/${name}`,
      }),
    );
  });

  it.each([
    ['busy', 503, 'service_unavailable', '7', { retryAfter: 7 }],
    ['busy-unsure', 503, 'service_unavailable', '1', { retryAfter: 1 }],
    ['active', 409, 'run_already_active', '4', { activeRunId: 'r', retryAfter: 4 }],
    ['limit', 429, 'rate_limited', '2', { retryAfterMs: 1_234, scope: 'key' }],
    ['limit-unsure', 429, 'rate_limited', '1', { retryAfterMs: 1_000 }],
  ])('says when to come back: %s', async (name, status, code, header, details) => {
    const answer = await server.ask(`/v1/failing/${name}`, { as: 'key' });
    expectEnvelope(answer, status, code);
    expect(answer.headers['retry-after']).toBe(header);
    const { correlationId: _, ...rest } = answer.json.details;
    expect(rest).toEqual(details);
  });
});

describe('below HTTP', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'validation_error'],
    ['a broken header', 'GET /v1/runs/r HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400, 'validation_error'],
    [
      'two lengths',
      'POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'validation_error',
    ],
    ['no Host', 'GET /v1/runs/r HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'validation_error'],
    [
      'an expectation',
      'GET /v1/runs/r HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n',
      400,
      'validation_error',
    ],
    [
      'a huge head',
      `GET /v1/runs/r HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(5_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['half a head', 'GET /v1/runs/r HTTP/1.1\r\nHost: x\r\n', 408, 'request_timeout'],
    [
      'half a body',
      'POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      408,
      'request_timeout',
    ],
  ])('%s', async (_what, bytes, status, code) => {
    expectEnvelope(parseRaw(await server.raw(bytes)), status, code);
  });

  it('still serves afterwards, with nothing in progress', async () => {
    expect((await server.ask('/v1/runs/r', { as: 'key' })).status).toBe(200);
    const gauge = server.host.plugins.extensions.get('metrics', 'wopr_http_requests_in_flight');
    expect(gauge?.collect()).toEqual([{ value: 0 }]);
  });
});
