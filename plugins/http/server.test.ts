// The plugin as a whole: routes that come and go, documents, links, logs, metrics, limits of the server.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Type } from 'typebox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Route, RouteRequest } from '../../kernel/plugin/points/http.ts';
import { startHost, type TestHost, testAuthenticator, testRoute } from '../../test/support/plugin-host.ts';
import { expectEnvelope, startServer, TestServer } from './testing.ts';

const servers: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function start(
  config: Record<string, string | number | boolean> = {},
  contribute: (host: TestHost) => void = () => {},
) {
  const prefixed = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [`plugins.http.config.${key}`, value]),
  );
  const server = await startServer({
    config: prefixed,
    contribute: (host) => {
      host.add('auth', 'test-auth', testAuthenticator({ key: { scopes: new Set(['runs:read']) } }));
      contribute(host);
    },
  });
  servers.push(server);
  return server;
}

function addRoute(host: TestHost, path: string, overrides: Partial<Route> = {}): () => void {
  const route = testRoute({ path, ...overrides });
  return host.add('routes', `${route.method} ${path}`, route);
}

describe('live routes', () => {
  it('serves a route from the moment it comes to the moment it goes', async () => {
    const server = await start();
    expectEnvelope(await server.ask('/v1/new', { as: 'key' }), 404, 'not_found');
    const remove = addRoute(server.host, '/v1/new');
    expect((await server.ask('/v1/new', { as: 'key' })).status).toBe(200);
    expect((await server.ask('/v1/openapi.json')).json.paths).toHaveProperty('/v1/new');
    remove();
    expectEnvelope(await server.ask('/v1/new', { as: 'key' }), 404, 'not_found');
    expect((await server.ask('/v1/openapi.json')).json.paths).not.toHaveProperty('/v1/new');
  });

  it('accepts credentials only as long as somebody vouches for them', async () => {
    const server = await start({}, (host) => addRoute(host, '/v1/thing'));
    const remove = server.host.add('auth', 'second', {
      name: 'second',
      authenticate: async (authorization) =>
        authorization === 'Bearer other'
          ? { keyId: 'o', tenantId: 't', tenantIds: ['t'], scopes: new Set(['runs:read']), test: false }
          : null,
    });
    expect((await server.ask('/v1/thing', { as: 'other' })).status).toBe(200);
    expect((await server.ask('/v1/thing', { as: 'key' })).status).toBe(200);
    expectEnvelope(await server.ask('/v1/thing', { as: 'neither' }), 401, 'unauthenticated');
    remove();
    expectEnvelope(await server.ask('/v1/thing', { as: 'other' }), 401, 'unauthenticated');
  });

  it('leaves nothing behind when its plugin stops', async () => {
    const server = await start();
    await server.host.plugins.stop('http');
    expect(server.host.plugins.effects()).toEqual([]);
    expect(server.host.plugins.extensions.list('routes')).toEqual([]);
    await expect(fetch(server.base)).rejects.toThrow();
  });
});

describe('documents', () => {
  it('describes the active routes as OpenAPI 3.1', async () => {
    const server = await start({}, (host) =>
      addRoute(host, '/v1/things/{thingId}', {
        operationId: 'getThing',
        params: Type.Object({ thingId: Type.String({ maxLength: 9 }) }),
        query: Type.Object({ deep: Type.Optional(Type.Boolean()) }),
      }),
    );
    const { json, headers } = await server.ask('/v1/openapi.json');
    expect(json.openapi).toMatch(/^3\.[1-9]/);
    expect(json.paths['/v1/openapi.json'].get).toMatchObject({ operationId: 'getOpenApiSpec', security: [] });
    expect(json.paths['/v1/things/{thingId}'].get).toMatchObject({
      operationId: 'getThing',
      security: [{ bearer: ['runs:read'] }],
      parameters: [
        { name: 'thingId', in: 'path', schema: { maxLength: 9 } },
        { name: 'deep', in: 'query', required: false },
      ],
    });
    const etag = String(headers.etag);
    const again = await server.ask('/v1/openapi.json', {
      headers: { 'if-none-match': `"other", W/${etag}` },
    });
    expect(again).toMatchObject({ status: 304, text: '', headers: { etag } });
    expect((await server.ask('/v1/openapi.json', { headers: { 'if-none-match': '"other"' } })).status).toBe(
      200,
    );
  });

  it('shows them on a page that loads nothing from elsewhere', async () => {
    const server = await start();
    const { text, headers } = await server.ask('/docs');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/,
    );
    expect(text).toContain('/v1/openapi.json');
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(text.match(/<script>/g)).toHaveLength(1);
    expect(text.match(/<style>/g)).toHaveLength(1);
  });

  it('answers HEAD like GET, without the content', async () => {
    const server = await start();
    const [get, head] = [await server.ask('/docs'), await server.ask('/docs', { method: 'HEAD' })];
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });
});

describe('what handlers see', () => {
  const spy = (host: TestHost) => {
    const requests: RouteRequest[] = [];
    addRoute(host, '/v1/spy', {
      handle: (request) => {
        requests.push(request);
        return { status: 200, body: { base: request.baseUrl, from: request.remoteAddress } };
      },
    });
    return requests;
  };

  it('links to what the client used, if that is a sane host', async () => {
    const server = await start({}, spy);
    const base = async (host: string) =>
      (await server.ask('/v1/spy', { as: 'key', headers: { host } })).json.base;
    expect(await base('wopr.example.com:8080')).toBe('http://wopr.example.com:8080');
    expect(await base('[::1]:80')).toBe('http://[::1]:80');
    expect(await base('evil"/><script>')).toBe(server.base);
    const forwarded = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example',
      'x-forwarded-for': '9.9.9.9',
    };
    expect((await server.ask('/v1/spy', { as: 'key', headers: forwarded })).json).toEqual({
      base: server.base,
      from: '127.0.0.1',
    });
  });

  it('believes a trusted proxy', async () => {
    const server = await start({ trustProxy: '127.0.0.1' }, spy);
    const headers = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example',
      'x-forwarded-for': '9.9.9.9',
    };
    const answer = await server.ask('/v1/spy', { as: 'key', headers });
    expect(answer.json).toEqual({ base: 'https://public.example', from: '9.9.9.9' });
  });

  it('prefers the configured address', async () => {
    const server = await start({ publicBaseUrl: 'https://wopr.example.com' }, spy);
    expect((await server.ask('/v1/spy', { as: 'key' })).json.base).toBe('https://wopr.example.com');
  });

  it("continues the caller's trace", async () => {
    let requests: RouteRequest[] = [];
    const server = await start({}, (host) => {
      requests = spy(host);
    });
    const trace = 'a'.repeat(32);
    const headers = { traceparent: `00-${trace}-${'b'.repeat(16)}-01` };
    const answer = await server.ask('/v1/spy', { as: 'key', headers });
    expect(answer.headers.traceparent).toMatch(new RegExp(`^00-${trace}-(?!b{16})[0-9a-f]{16}-01$`));
    expect(requests[0]?.correlationId).toBe(trace);
    requests[0]?.log.info('from the handler');
    expect(server.host.logged).toContainEqual(
      expect.objectContaining({ msg: 'from the handler', correlationId: trace }),
    );
  });

  it('sends each kind of response as it is', async () => {
    const server = await start({}, (host) => {
      addRoute(host, '/v1/json', {
        handle: () => ({ status: 201, json: '{"a": 1}', headers: { 'x-a': 'b' } }),
      });
      addRoute(host, '/v1/text', {
        handle: () => ({ status: 200, text: 'ä', headers: { 'content-type': 'text/plain' } }),
      });
      addRoute(host, '/v1/none', { handle: () => ({ status: 204 }) });
    });
    expect(await server.ask('/v1/json', { as: 'key' })).toMatchObject({
      status: 201,
      text: '{"a": 1}',
      headers: { 'content-type': 'application/json', 'x-a': 'b' },
    });
    expect(await server.ask('/v1/text', { as: 'key' })).toMatchObject({
      text: 'ä',
      headers: { 'content-type': 'text/plain', 'content-length': '2' },
    });
    const none = await server.ask('/v1/none', { as: 'key' });
    expect(none).toMatchObject({ status: 204, text: '' });
    expect(none.headers).not.toHaveProperty('content-length');
    expect(none.headers).not.toHaveProperty('content-type');
  });
});

describe('access log', () => {
  const secret = 'Bearer hunter2';

  it('has a line for each authenticated request, without the credential', async () => {
    const server = await start({}, (host) => addRoute(host, '/v1/things/{id}'));
    await server.ask('/v1/things/7?token=hunter2', { as: 'key' });
    await server.ask('/v1/things/7', { headers: { authorization: secret } });
    const lines = server.host.logged.filter(({ msg }) => msg === 'request');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 30,
        keyId: 'key',
        scope: 'runs:read',
        method: 'GET',
        path: '/v1/things/7',
        status: 200,
        ms: expect.any(Number),
      }),
    ]);
    expect(server.host.log).not.toContain('hunter2');
  });

  it.each([
    ['debug', 20],
    ['off', undefined],
  ])('can be %s', async (accessLog, level) => {
    const server = await start({ accessLog }, (host) => addRoute(host, '/v1/thing'));
    await server.ask('/v1/thing', { as: 'key' });
    expect(server.host.logged.find(({ msg }) => msg === 'request')?.level).toBe(level);
  });

  it('never shows the path of public routes, which may hold a signed token', async () => {
    const server = await start({}, (host) =>
      addRoute(host, '/v1/interrupts/{token}', {
        scopes: null,
        handle: () => {
          throw new Error('unexpected');
        },
      }),
    );
    expectEnvelope(await server.ask('/v1/interrupts/hunter2'), 500, 'internal_error');
    expect(server.host.log).toContain('unexpected');
    expect(server.host.log).not.toContain('hunter2');
  });
});

describe('metrics', () => {
  it('count requests by route and status, and their durations in cumulative buckets', async () => {
    const server = await start({}, (host) => addRoute(host, '/v1/things/{id}'));
    await server.ask('/v1/things/1', { as: 'key' });
    await server.ask('/v1/things/2', { as: 'key' });
    await server.ask('/v1/things/3');
    await server.ask('/v1/nothing');
    const collect = (name: string) => server.host.plugins.extensions.get('metrics', name)?.collect() ?? [];
    const labels = { method: 'GET', route: '/v1/things/{id}' };
    expect(collect('wopr_http_requests_total')).toEqual(
      expect.arrayContaining([
        { value: 2, labels: { ...labels, status: '200' } },
        { value: 1, labels: { ...labels, status: '401' } },
        { value: 1, labels: { method: 'ANY', route: 'none', status: '404' } },
      ]),
    );
    const ours = collect('wopr_http_request_duration_seconds').filter(
      (sample) => sample.labels?.route === labels.route,
    );
    const buckets = ours.filter(({ series }) => series === 'bucket').map(({ value }) => value);
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
    expect(buckets.at(-1)).toBe(3);
    expect(ours).toContainEqual({ series: 'count', value: 3, labels });
    expect(ours.find(({ series }) => series === 'sum')?.value).toBeGreaterThan(0);
  });
});

describe('limits of the server', () => {
  it('refuses what it cannot take on, except what must stay answerable', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await start({ maxInFlight: 1 }, (host) => {
      addRoute(host, '/v1/slow', {
        handle: async () => {
          await gate;
          return { status: 200 };
        },
      });
      addRoute(host, '/v1/thing');
      addRoute(host, '/alive', { scopes: null, unshedded: true });
    });
    const slow = server.ask('/v1/slow', { as: 'key' });
    const inFlight = server.host.plugins.extensions.get('metrics', 'wopr_http_requests_in_flight');
    await vi.waitFor(() => expect(inFlight?.collect()[0]?.value).toBe(1));
    expectEnvelope(await server.ask('/v1/thing'), 401, 'unauthenticated');
    expectEnvelope(await server.ask('/v1/thing', { as: 'key' }), 503, 'service_unavailable');
    expect((await server.ask('/alive')).status).toBe(200);
    release();
    expect((await slow).status).toBe(200);
    expect((await server.ask('/v1/thing', { as: 'key' })).status).toBe(200);
  });

  it('closes connections beyond its limit, and counts them', async () => {
    const server = await start({ maxConnections: 1 });
    expect((await server.ask('/docs')).status).toBe(200);
    expect(await server.raw('GET /docs HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => '')).toBe('');
    const refused = server.host.plugins.extensions.get('metrics', 'wopr_http_connections_refused_total');
    expect(refused?.collect()).toEqual([{ value: 1 }]);
    expect((await server.ask('/docs')).status).toBe(200);
  });

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const host = startHost({ plugins: ['http'], config: { 'plugins.http.config.port': port } });
    await expect(host).rejects.toThrow(`127.0.0.1:${port} is already in use; set plugins.http.config.port`);
    other.close();
  });

  it('warns when nobody can authenticate', async () => {
    const host = await startHost({ plugins: ['http'] });
    servers.push(new TestServer(host));
    expect(host.log).toContain('no plugin authenticates callers');
  });
});
