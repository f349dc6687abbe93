/** The discovery document: reachable by anyone, well-formed, stable, and consistent in what it claims. */
import { expect } from 'vitest';
import { expectValid, mediaType } from '../checks.ts';
import { isObject } from '../client.ts';
import { notClaimed, options, requirement, shared } from '../harness.ts';
import { block, discovery, host } from '../host.ts';

const PATH = '/.well-known/openwop';
const LIMITS = ['clarificationRounds', 'schemaRounds', 'envelopesPerTurn', 'maxNodeExecutions'];

const publicAnswer = shared(() => host.get(PATH, { key: null }));

/** A header of the document, or "not claimed" when the host does not send it. */
async function sentHeader(name: string): Promise<string> {
  return (await publicAnswer()).headers.get(name) ?? notClaimed(`the host sends no ${name}`);
}

requirement('discovery.public', 'GET without a credential is 200 with a JSON object', async () => {
  const answer = await publicAnswer();
  expect(answer.status).toBe(200);
  expect(mediaType(answer.headers)).toBe('application/json');
  expect(isObject(answer.json)).toBe(true);
});

requirement('discovery.schema', 'the document fits its schema', async () => {
  expectValid('capabilities', await discovery());
});

requirement(
  'discovery.limits-closed',
  'limits has no other keys and its bounds are whole numbers',
  async () => {
    const { limits } = await discovery();
    if (!isObject(limits)) throw new Error('limits is not an object.');
    expect(Object.keys(limits).filter((key) => !LIMITS.includes(key))).toEqual([]);
    for (const name of LIMITS.slice(0, 3)) {
      expect(Number.isInteger(limits[name]) && Number(limits[name]) >= 0, `limits.${name}`).toBe(true);
    }
  },
);

requirement(
  'discovery.max-node-executions',
  'limits.maxNodeExecutions is a whole number of at least 1',
  async () => {
    const { limits } = await discovery();
    const ceiling = isObject(limits) ? limits.maxNodeExecutions : undefined;
    expect(Number.isInteger(ceiling) && Number(ceiling) >= 1, String(ceiling)).toBe(true);
  },
);

requirement('discovery.protocol-version', 'protocolVersion is 1.x', async () => {
  expect((await discovery()).protocolVersion).toMatch(/^1\./);
});

requirement('discovery.rest-transport', 'supportedTransports includes rest', async () => {
  const { supportedTransports } = await discovery();
  if (supportedTransports === undefined) notClaimed('no supportedTransports in the document');
  expect(supportedTransports).toContain('rest');
});

requirement('discovery.stable', 'a second reading is equal', async () => {
  expect((await host.get(PATH, { key: null })).json).toEqual((await publicAnswer()).json);
});

requirement('discovery.cache-control', 'Cache-Control is present', async () => {
  expect((await publicAnswer()).headers.get('cache-control')).toBeTruthy();
});

requirement('discovery.capabilities-etag', 'Capabilities-Etag is the same on every reading', async () => {
  const first = await sentHeader('capabilities-etag');
  expect(first).not.toBe('');
  for (let i = 0; i < 3; i++) {
    expect((await host.get(PATH, { key: null })).headers.get('capabilities-etag')).toBe(first);
  }
});

requirement('discovery.conditional', 'If-None-Match is answered with 304 and no body', async () => {
  const etag = await sentHeader('etag');
  const answer = await host.get(PATH, { key: null, headers: { 'if-none-match': etag } });
  expect(answer.status).toBe(304);
  expect(answer.text).toBe('');
  const other = await host.get(PATH, { key: null, headers: { 'if-none-match': '"another"' } });
  expect(other.status, 'with another tag').toBe(200);
});

requirement(
  'discovery.scoped-view',
  'with a credential the document is valid and keeps every public field',
  async () => {
    const answer = await host.get(PATH);
    expect(answer.status).toBe(200);
    expectValid('capabilities', answer.json);
    expect(Object.keys(answer.object)).toEqual(expect.arrayContaining(Object.keys(await discovery())));
  },
);

requirement('discovery.no-secrets', 'the public document contains none of the given keys', async () => {
  const { text } = await publicAnswer();
  expect(text).not.toContain(options.apiKey);
  if (options.lowScopeKey !== undefined) expect(text).not.toContain(options.lowScopeKey);
});

requirement('discovery.mirror', 'every block under capabilities equals its twin at the root', async () => {
  const document = await discovery();
  if (!isObject(document.capabilities)) return notClaimed('no capabilities object in the document');
  for (const [name, value] of Object.entries(document.capabilities)) {
    if (document[name] !== undefined) expect(value, name).toEqual(document[name]);
  }
});

requirement('discovery.secrets', 'supported secrets name scopes and resolution', async () => {
  const secrets = await block('secrets');
  if (secrets?.supported !== true) return notClaimed('secrets are not advertised');
  expect(secrets.scopes).toEqual(expect.arrayContaining([expect.any(String)]));
  expect(secrets.resolution).toBe('host-managed');
});

requirement(
  'discovery.ai-providers',
  'byok is a subset of supported; restricted comes with optional',
  async () => {
    const providers = await block('aiProviders');
    if (providers === undefined) return notClaimed('no AI providers are advertised');
    expect(providers.supported ?? []).toEqual(expect.arrayContaining([...list(providers.byok)]));
    const modes = isObject(providers.policies) ? list(providers.policies.modes) : [];
    if (modes.includes('restricted')) expect(modes).toContain('optional');
  },
);

requirement('discovery.mock-providers', 'mockProviders includes stream-text', async () => {
  const providers = (await block('testing'))?.mockProviders;
  if (providers === undefined) notClaimed('no mock providers are advertised');
  expect(providers).toContain('stream-text');
});

requirement('discovery.replay', 'supported replay names its modes', async () => {
  const replay = await block('replay');
  if (replay?.supported !== true) return notClaimed('replay is not advertised');
  expect(list(replay.modes).length).toBeGreaterThan(0);
  expect(['replay', 'branch']).toEqual(expect.arrayContaining([...list(replay.modes)]));
});

requirement('discovery.webhooks', 'signatureAlgorithms includes v1', async () => {
  const algorithms = (await block('webhooks'))?.signatureAlgorithms;
  if (algorithms === undefined) notClaimed('no webhook signature algorithms are advertised');
  expect(algorithms).toContain('v1');
});

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
