import { afterEach, describe, expect, it } from 'vitest';
import { WOPR_VERSION } from '../../kernel/version.ts';
import { Capabilities } from '../../schemas/capabilities.ts';
import { compileSchema, problemsOf } from '../../schemas/validators.ts';
import { startHost, type TestHost, testHostService, testRoute } from '../../test/support/plugin-host.ts';

let host: TestHost | undefined;
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

async function start(contribute: (host: TestHost) => void = () => {}): Promise<TestHost> {
  host = await startHost({
    plugins: ['http', 'discovery'],
    services: { host: testHostService({ maxNodeExecutions: 77 }) },
    config: { 'plugins.discovery.config.vendor': 'acme' },
    contribute: (created) => {
      created.add('routes', 'GET /v1/public', testRoute({ path: '/v1/public', scopes: null }));
      contribute(created);
    },
  });
  return host;
}

const get = (path = '/.well-known/openwop', headers: Record<string, string> = {}) =>
  fetch(`${host?.plugins.service('httpServer')?.address()}${path}`, { headers });

// biome-ignore lint/suspicious/noExplicitAny: tests look into the document freely
const document = async (): Promise<any> => (await get()).json();

describe('discovery document', () => {
  it('has the protocol basics, all required by the schema or by version negotiation', async () => {
    await start();
    const basics = await document();
    expect(basics).toEqual({
      protocolVersion: '1.0',
      engineVersion: 1,
      eventLogSchemaVersion: 2,
      minClientVersion: '1.0',
      implementation: { name: 'wopr', version: WOPR_VERSION, vendor: 'acme' },
      supportedTransports: ['rest'],
      supportedEnvelopes: [],
      schemaVersions: {},
      limits: { clarificationRounds: 3, schemaRounds: 2, envelopesPerTurn: 5, maxNodeExecutions: 77 },
      capabilities: {},
    });
    expect(problemsOf(compileSchema(Capabilities, { allErrors: true }), basics)).toBe(null);
  });

  it('is the sum of what active plugins declare, at the root and mirrored', async () => {
    const started = await start((created) => {
      created.add('capabilities', 'runs', { pauseResume: { supported: true } });
      created.add('capabilities', 'fixtures', () => ['conformance-noop']);
      created.add('capabilities', 'supportedTransports', ['mcp']);
      created.add('capabilities', 'supportedEnvelopes', ['clarification.request']);
      created.add('capabilities', 'extensions', { interrupts: { kinds: ['approval'] } });
      created.add('capabilities', 'auth', { profiles: ['p'] });
    });
    const full = await document();
    const blocks = {
      runs: { pauseResume: { supported: true } },
      fixtures: ['conformance-noop'],
      auth: { profiles: ['p'] },
    };
    expect(full).toMatchObject({
      ...blocks,
      supportedTransports: ['rest', 'mcp'],
      supportedEnvelopes: ['clarification.request'],
      extensions: { interrupts: { kinds: ['approval'] }, auth: { profiles: ['p'] } },
      capabilities: blocks,
    });
    expect(problemsOf(compileSchema(Capabilities, { allErrors: true }), full)).toBe(null);
    expect(started.log).not.toContain('protocol form');
  });

  it('changes, with its tags, when a capability comes or goes, and only then', async () => {
    const started = await start();
    const tags = async () => {
      const { headers } = await get();
      return [headers.get('etag'), headers.get('capabilities-etag')];
    };
    const before = await tags();
    expect(before[0]).toMatch(/^"[\w-]+"$/);
    expect(before[1]).toBeTruthy();
    expect(await tags()).toEqual(before);
    const remove = started.add('capabilities', 'replay', { supported: true, modes: ['replay'] });
    expect(await document()).toMatchObject({ replay: { supported: true } });
    const during = await tags();
    expect(during[0]).not.toBe(before[0]);
    expect(during[1]).not.toBe(before[1]);
    remove();
    expect(await document()).not.toHaveProperty('replay');
    expect(await tags()).toEqual(before);
  });

  it('can be cached, and asked for conditionally', async () => {
    await start();
    const first = await get();
    expect(first.headers.get('cache-control')).toBe('public, max-age=300');
    const etag = String(first.headers.get('etag'));
    const second = await get(undefined, { 'if-none-match': etag });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
    expect(second.headers.get('capabilities-etag')).toBe(first.headers.get('capabilities-etag'));
    expect((await get(undefined, { 'if-none-match': '"else"' })).status).toBe(200);
  });

  it('is the same with a credential, good or bad', async () => {
    await start();
    const plain = await document();
    expect(await (await get(undefined, { authorization: 'Bearer nonsense' })).json()).toEqual(plain);
  });

  it('names the plugins that contradict each other: at start by not starting, later with 503', async () => {
    const value = (n: number) => ({ limits: { maxNodeExecutions: n } });
    await expect(start((created) => created.add('capabilities', 'limits', value(1).limits))).rejects.toThrow(
      /"discovery" and "test" give the capability limits\.maxNodeExecutions different values/,
    );
    const started = await start();
    started.add('capabilities', 'limits', value(2).limits);
    const answer = await get();
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: 'service_unavailable', details: { retryAfter: 1 } });
    expect(started.log).toContain('limits.maxNodeExecutions');
  });

  it('reports a capability that breaks the protocol form, without failing', async () => {
    const started = await start((created) => created.add('capabilities', 'fixtures', [1]));
    expect((await get()).status).toBe(200);
    expect(started.log).toContain('protocol form');
  });
});

describe('client floor', () => {
  it.each([
    ['openwop-sdk/0.9.9', 426],
    ['openwop-sdk/0.9 node/24', 426],
    ['openwop-sdk/1.0.0', 200],
    ['openwop-sdk/1.4', 200],
    ['openwop-sdk/10.0.0', 200],
    ['openwop-sdk/unknown', 200],
    ['curl/0.1', 200],
  ])('%s', async (agent, status) => {
    await start();
    const answer = await get('/v1/public', { 'user-agent': agent });
    expect(answer.status).toBe(status);
    if (status === 426) {
      expect(await answer.json()).toMatchObject({
        error: 'client_too_old',
        details: { minClientVersion: '1.0' },
      });
    }
    expect((await get(undefined, { 'user-agent': agent })).status).toBe(200);
  });
});
