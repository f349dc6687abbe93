import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CreateRunResponse } from '../../schemas/create-run.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { startWopr, type TestWopr } from '../../test/support/wopr.ts';

const NOOP = 'conformance-noop';
const SLOW = 'conformance-cancellable';

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr({ config: { 'plugins.runs-api.config.bodyLimitBytes': 20_000 } });
});
afterAll(() => wopr.stop());

const create = (body: unknown, headers: Record<string, string> = {}, as = 'live') =>
  wopr.post('/v1/runs', body, { headers, as });

describe('POST /v1/runs', () => {
  test('answers 201 with absolute links, and the run can be read at once', async () => {
    const { status, json } = await create({ workflowId: NOOP });
    expect(status).toBe(201);
    expect(compileSchema(CreateRunResponse)(json)).toBe(true);
    expect(json.statusUrl).toBe(`${wopr.base}/v1/runs/${json.runId}`);
    expect(json.eventsUrl).toBe(`${json.statusUrl}/events`);
    const read = await wopr.ask(`/v1/runs/${json.runId}`);
    expect(read.json).toMatchObject({ runId: json.runId, workflowId: NOOP });
    expect(await wopr.finished(json.runId)).toMatchObject({ status: 'completed' });
  });

  test.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['a list', []],
    ['an unknown key', { workflowId: NOOP, priority: 1 }],
    ['an unknown workflow', { workflowId: 'no-such-workflow' }],
    ['inputs of the wrong type', { workflowId: NOOP, inputs: [] }],
    ['tags that are no list', { workflowId: NOOP, tags: 'a' }],
    ['too many tags', { workflowId: NOOP, tags: Array.from({ length: 101 }, (_, i) => `t${i}`) }],
    ['a tag that is too long', { workflowId: NOOP, tags: ['x'.repeat(257)] }],
    ['an empty tag', { workflowId: NOOP, tags: [''] }],
    ['metadata nested too deeply', { workflowId: NOOP, metadata: { a: { b: { c: { d: {} } } } } }],
    ['metadata that is too large', { workflowId: NOOP, metadata: { text: 'x'.repeat(8192) } }],
    ['a callbackUrl that is no URL', { workflowId: NOOP, callbackUrl: 'nowhere' }],
  ])('refuses %s', async (_, body) => {
    const { status, json } = await create(body);
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });

  test('keeps tags, metadata and configurable as they were sent', async () => {
    const options = {
      tags: ['env:test', 'x'.repeat(256)],
      metadata: { a: { b: { c: [1] } }, vendor: null },
      configurable: { temperature: 0.5, 'acme.key': { any: [1] } },
    };
    const runId = await wopr.run(NOOP, options);
    expect(await wopr.finished(runId)).toMatchObject(options);
  });

  test('refuses a body beyond the limit with 413', async () => {
    const { status, json } = await create({ workflowId: NOOP, inputs: { text: 'x'.repeat(20_000) } });
    expect({ status, error: json.error }).toEqual({ status: 413, error: 'payload_too_large' });
  });

  test('needs the scope runs:create', async () => {
    const { status, json } = await create({ workflowId: NOOP }, {}, 'reader');
    expect(status).toBe(403);
    expect(json.details.scopeRequired).toBe('runs:create');
  });
});

describe('tenantId', () => {
  test('names one of the tenants of the key', async () => {
    const runId = await wopr.run(NOOP, { tenantId: 'second' });
    expect(wopr.kernel.services.runs.get(runId).tenantId).toBe('second');
    expect((await wopr.ask(`/v1/runs/${runId}`)).status).toBe(200);
  });

  test('of somebody else is forbidden', async () => {
    const { status, json } = await create({ workflowId: NOOP, tenantId: 'other' });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'forbidden' });
  });
});

describe('X-Dedup', () => {
  test.each([
    ['another value', { 'x-dedup': 'true' }, { scopeId: 's' }],
    ['no scopeId', { 'x-dedup': 'enforce' }, {}],
    ['an empty scopeId', { 'x-dedup': 'enforce' }, { scopeId: '' }],
  ])('refuses %s', async (_, headers, body) => {
    const { status, json } = await create({ workflowId: NOOP, ...body }, headers);
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });

  test('lets one run per tenant and scope be active', async () => {
    const enforce = { 'x-dedup': 'enforce' };
    const first = await create({ workflowId: SLOW, scopeId: 'one' }, enforce);
    expect(first.status).toBe(201);
    const second = await create({ workflowId: NOOP, scopeId: 'one' }, enforce);
    expect(second).toMatchObject({ status: 409, json: { error: 'run_already_active' } });
    expect(second.json.details).toMatchObject({ activeRunId: first.json.runId, activeHost: 'cloud' });
    expect(second.headers['retry-after']).toBe(String(second.json.details.retryAfter));
    expect(wopr.logged.some((line) => line.metricKind === 'openwop.run.claim.conflict')).toBe(true);

    expect((await create({ workflowId: NOOP, scopeId: 'two' }, enforce)).status).toBe(201);
    expect((await create({ workflowId: NOOP, scopeId: 'one', tenantId: 'second' }, enforce)).status).toBe(
      201,
    );
    expect((await create({ workflowId: NOOP, scopeId: 'one' })).status).toBe(201);
    await wopr.post(`/v1/runs/${first.json.runId}/cancel`);
    await wopr.finished(first.json.runId);
    expect((await create({ workflowId: NOOP, scopeId: 'one' }, enforce)).status).toBe(201);
  });

  test('does not freeze its refusal under an Idempotency-Key', async () => {
    const enforce = { 'x-dedup': 'enforce' };
    const body = { workflowId: SLOW, scopeId: 'keyed' };
    const first = await create(body, enforce);
    const keyed = { ...enforce, 'idempotency-key': 'waits-for-the-scope' };
    expect((await create(body, keyed)).json.error).toBe('run_already_active');
    await wopr.post(`/v1/runs/${first.json.runId}/cancel`);
    await wopr.finished(first.json.runId);
    const won = await create(body, keyed);
    expect(won.status).toBe(201);
    const replayed = await create(body, keyed);
    expect(replayed.headers['openwop-idempotent-replay']).toBe('true');
    expect(replayed.json.runId).toBe(won.json.runId);
    await wopr.post(`/v1/runs/${won.json.runId}/cancel`);
  });
});

describe('X-Force-Engine-Version', () => {
  test.each(['1', 'x', '99'])('%s is forbidden for live keys, whatever the body', async (value) => {
    const { status, json } = await create({ nonsense: true }, { 'x-force-engine-version': value });
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'force_engine_version_forbidden' });
  });

  test.each(['3', '-1', '99999999999999999999'])('%s is out of range', async (value) => {
    const { status, json } = await create({ workflowId: NOOP }, { 'x-force-engine-version': value }, 'test');
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'unsupported_force_engine_version', details: { min: 0, max: 2 } });
  });

  test.each(['x', '1.5', '0x1', ''])('"%s" is no integer', async (value) => {
    const { status, json } = await create({ workflowId: NOOP }, { 'x-force-engine-version': value }, 'test');
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });

  test.each(['0', '1', '2'])(
    '%s stamps the events, and the run completes and stays readable',
    async (value) => {
      const { status, json } = await create(
        { workflowId: 'conformance-version-fold' },
        { 'x-force-engine-version': value },
        'test',
      );
      expect(status).toBe(201);
      expect(await wopr.finished(json.runId, 'test')).toMatchObject({
        status: 'completed',
        engineVersion: value,
      });
      const { json: page } = await wopr.ask(`/v1/runs/${json.runId}/events/poll`, { as: 'test' });
      expect(new Set(page.events.map((event: { engineVersion: string }) => event.engineVersion))).toEqual(
        new Set([value]),
      );
    },
  );
});

describe('configurable', () => {
  const withConfigurable = (configurable: unknown, as = 'live') =>
    create({ workflowId: NOOP, configurable }, {}, as);

  test('mock providers are forbidden for live keys, whatever else is wrong', async () => {
    const { status, json } = await create({
      nonsense: true,
      configurable: { mockProvider: { id: 'stream-text' } },
    });
    expect(status).toBe(403);
    expect(json).toMatchObject({
      error: 'mock_provider_forbidden',
      details: { requestedProvider: 'stream-text', supportedProviders: [] },
    });
  });

  test('no mock provider exists yet', async () => {
    const { status, json } = await withConfigurable({ mockProvider: { id: 'stream-text' } }, 'test');
    expect(status).toBe(400);
    expect(json).toMatchObject({
      error: 'unsupported_mock_provider',
      details: { requestedProvider: 'stream-text', supportedProviders: [] },
    });
  });

  test.each([
    [{ recursionLimit: 0 }, { key: 'recursionLimit', value: 0, min: 1 }],
    [{ temperature: 2.1 }, { key: 'temperature', value: 2.1, min: 0, max: 2 }],
    [{ temperature: -0.1 }, { key: 'temperature', value: -0.1, min: 0, max: 2 }],
    [{ maxTokens: 0 }, { key: 'maxTokens', value: 0, min: 1 }],
    [{ escalationThreshold: 1.01 }, { key: 'escalationThreshold', value: 1.01, min: 0, max: 1 }],
  ])('%j is out of bounds', async (configurable, details) => {
    const { status, json } = await withConfigurable(configurable);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'validation_error' });
    expect(json.details).toEqual(details);
  });

  test.each([
    { recursionLimit: 1.5 },
    { recursionLimit: '3' },
    { temperature: 'hot' },
    { model: '' },
    { promptOverrides: { a: 1 } },
    { reasoningVerbosity: 'loud' },
    { mockProvider: 'stream-text' },
    { 'ai.model': 7 },
    { ai: { model: '' } },
    { ai: 'claude' },
    { 'ai.provider': 'unheard-of' },
    { ai: { provider: 'unheard-of' } },
    { 'ai.model': 'a', ai: { model: 'b' } },
  ])('%j is not valid', async (configurable) => {
    const { status, json } = await withConfigurable(configurable, 'test');
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });

  test.each([{ 'ai.credentialRef': 'vault/1' }, { ai: { credentialRef: 'vault/1' } }])(
    '%j needs a provider that takes own keys',
    async (configurable) => {
      const { status, json } = await withConfigurable(configurable);
      expect({ status, error: json.error }).toEqual({ status: 403, error: 'credential_forbidden' });
      expect(JSON.stringify(json)).not.toContain('vault/1');
    },
  );

  test.each([
    { recursionLimit: 100_000 },
    { temperature: 2, maxTokens: 1, escalationThreshold: 0, reasoningVerbosity: 'off' },
    { 'ai.model': 'a', ai: { model: 'a' } },
    { anything: { goes: [1, null] } },
  ])('%j is accepted', async (configurable) => {
    expect((await withConfigurable(configurable)).status).toBe(201);
  });

  test('is checked against the configurableSchema of the workflow', async () => {
    const body = { workflowId: 'conformance-configurable-schema' };
    expect((await create({ ...body, configurable: { model: 'small' } })).status).toBe(201);
    const { status, json } = await create({ ...body, configurable: { model: 'huge' } });
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });
});
