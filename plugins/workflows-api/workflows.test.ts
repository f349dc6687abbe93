import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileSchema } from '../../schemas/validators.ts';
import { RegisterWorkflowResponse, WorkflowList } from '../../schemas/workflow-registration.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';

const NOOP = [{ typeId: 'core.noop' }];

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr({ config: { 'plugins.workflows-api.config.bodyLimitBytes': 100_000 } });
});
afterAll(() => wopr.stop());

const register = (definition: unknown, as = 'live') => wopr.post('/v1/workflows', definition, { as });
const read = (path: string, as = 'live') => wopr.ask(`/v1/workflows/${path}`, { as });

describe('POST /v1/workflows', () => {
  test('registers a version once; again it is only acknowledged', async () => {
    const definition = chain('once', NOOP);
    const first = await register(definition);
    expect(first.status).toBe(201);
    expect(compileSchema(RegisterWorkflowResponse)(first.json)).toBe(true);
    expect(first.json).toMatchObject({ workflowId: 'once', version: '1.0', created: true });
    const { name, ...rest } = definition;
    const again = await register({ ...rest, name });
    expect(again.status).toBe(200);
    expect(again.json).toEqual({ ...first.json, created: false });
  });

  test('refuses other content under the same version, and takes it as a new one', async () => {
    const definition = chain('versions', NOOP);
    await register(definition);
    const changed = { ...definition, description: 'changed' };
    expect(await register(changed)).toMatchObject({ status: 409, json: { error: 'conflict' } });
    expect((await register({ ...changed, version: '2.0' })).status).toBe(201);
    expect((await read('versions')).json).toEqual({ ...changed, version: '2.0' });
    expect((await read('versions?version=1.0')).json).toEqual(definition);
    expect((await read('versions?version=3.0')).json.error).toBe('not_found');
  });

  test('points to the node and the field of every mistake', async () => {
    const definition = chain('mistakes', [{ typeId: 'core.noop' }, { typeId: 'core.nowhere' }]);
    const broken = { ...definition, edges: [{ id: 'e', sourceNodeId: 'n0', targetNodeId: 'n9' }] };
    const { status, json } = await register(broken);
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
    expect(json.details.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: '/nodes/1/typeId', nodeId: 'n1', message: expect.any(String) }),
        expect.objectContaining({ path: '/edges/0/targetNodeId', message: expect.any(String) }),
      ]),
    );
    expect((await read('mistakes')).status).toBe(404);
  });

  test('points to mistakes of form too', async () => {
    const definition = chain('form', NOOP);
    const broken = { ...definition, nodes: [{ ...definition.nodes[0], colour: 'red' }], extra: 1 };
    const { status, json } = await register(broken);
    expect(status).toBe(400);
    expect(json.details.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: '/nodes/0/colour', nodeId: 'n0' }),
        expect.objectContaining({ path: '/extra' }),
      ]),
    );
  });

  test.each([[undefined], [[]], [{}], [{ ...chain('x', NOOP), id: 'Not An Id' }]])(
    'refuses %j',
    async (body) => {
      expect(await register(body)).toMatchObject({ status: 400, json: { error: 'validation_error' } });
    },
  );

  test('refuses what is too large, and callers without the scope', async () => {
    const large = chain('large', NOOP, { description: 'x'.repeat(100_000) });
    expect((await register(large)).status).toBe(413);
    const denied = await register(chain('denied', NOOP), 'reader');
    expect(denied).toMatchObject({ status: 403, json: { details: { scopeRequired: 'manifest:write' } } });
  });

  test('is idempotent under a key', async () => {
    const ask = () =>
      wopr.post('/v1/workflows', chain('keyed', NOOP), { headers: { 'idempotency-key': 'register' } });
    expect((await ask()).status).toBe(201);
    const again = await ask();
    expect(again.status).toBe(201);
    expect(again.headers['openwop-idempotent-replay']).toBe('true');
  });
});

describe('tenants', () => {
  test('see their own definitions and shared ones, nothing else', async () => {
    await register(chain('private', NOOP));
    expect((await read('private')).status).toBe(200);
    expect(await read('private', 'stranger')).toMatchObject({ status: 404, json: { error: 'not_found' } });
    const run = await wopr.post('/v1/runs', { workflowId: 'private' }, { as: 'stranger' });
    expect(run).toMatchObject({ status: 400, json: { error: 'validation_error' } });
    expect((await read('conformance-noop', 'stranger')).status).toBe(200);
  });

  test('a definition may name a tenant of the key, and no other', async () => {
    expect((await register(chain('second', NOOP, { tenantId: 'second' }))).status).toBe(201);
    expect((await read('second')).status).toBe(200);
    expect(wopr.kernel.services.workflows.get('second', 'second')?.tenantId).toBe('second');
    expect(await register(chain('foreign', NOOP, { tenantId: 'other' }))).toMatchObject({
      status: 403,
      json: { error: 'forbidden' },
    });
  });
});

describe('GET /v1/workflows/{workflowId}', () => {
  test('is the definition verbatim, with its configurableSchema', async () => {
    const definition = chain('verbatim', NOOP, {
      configurableSchema: { type: 'object', properties: { model: { enum: ['a', 'b'] } } },
      metadata: { anything: { goes: [1] } },
      variables: [{ name: 'v', type: 'string', defaultValue: '' }],
    });
    await register(definition);
    expect((await read('verbatim')).json).toEqual(definition);
  });

  test.each(['nothing', 'x'.repeat(128), '..%2Fetc', "'%20OR%201=1"])('%s is not found', async (id) => {
    expect(await read(id)).toMatchObject({ status: 404, json: { error: 'not_found' } });
  });

  test.each(['x'.repeat(129), 'a%00b', 'nothing?version='])('%s is no valid request', async (id) => {
    expect(await read(id)).toMatchObject({ status: 400, json: { error: 'validation_error' } });
  });
});

describe('GET /v1/workflows', () => {
  test('lists the newest version of each visible workflow in pages', async () => {
    const many = await startWopr();
    try {
      const { workflows } = many.kernel.services;
      for (let i = 0; i < 600; i++)
        await workflows.register(chain(`w${String(i).padStart(3, '0')}`, NOOP), null);
      await workflows.register({ ...chain('w000', NOOP), version: '2.0' }, null);
      const first = await many.ask('/v1/workflows', { as: 'reader' });
      expect(compileSchema(WorkflowList)(first.json)).toBe(true);
      expect(first.json.workflows).toHaveLength(500);
      const second = await many.ask(`/v1/workflows?cursor=${first.json.nextCursor}`);
      expect(second.json.nextCursor).toBeUndefined();
      const all = [...first.json.workflows, ...second.json.workflows];
      const ids = all.map(({ workflowId }) => workflowId);
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(ids.filter((id) => id.startsWith('w'))).toHaveLength(600);
      expect(all.find(({ workflowId }) => workflowId === 'w000').version).toBe('2.0');
      expect((await many.ask('/v1/workflows?cursor=zzzz')).json).toEqual({ workflows: [] });
    } finally {
      await many.stop();
    }
  });
});
