import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completed, entry, header } from '../../kernel/log/testing.ts';
import { RunList } from '../../schemas/run-list.ts';
import { RunSnapshot } from '../../schemas/run-snapshot.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { startWopr, type TestWopr } from '../../test/support/wopr.ts';

const NOOP = 'conformance-noop';
const SLOW = 'conformance-cancellable';

const SURFACES = [
  ['GET', ''],
  ['GET', '/events'],
  ['GET', '/events/poll?timeout=1'],
  ['POST', '/cancel'],
  ['POST', ':cancel'],
] as const;

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr();
});
afterAll(() => wopr.stop());

describe('who may see a run', () => {
  test.each(SURFACES)(
    '%s /v1/runs/{runId}%s is 404 for other tenants, and for test keys on live runs',
    async (method, suffix) => {
      const runId = await wopr.run(SLOW);
      for (const as of ['stranger', 'test']) {
        const { status, json } = await wopr.ask(`/v1/runs/${runId}${suffix}`, { method, as });
        expect({ as, status, error: json.error }).toEqual({ as, status: 404, error: 'not_found' });
      }
      expect((await wopr.ask(`/v1/runs/${runId}`)).json.status).not.toBe('cancelled');
      await wopr.post(`/v1/runs/${runId}/cancel`);
    },
  );

  test.each(SURFACES)('%s /v1/runs/{runId}%s is 404 for ids nobody has', async (method, suffix) => {
    for (const id of ['run_none', '..%2F..', "'%20OR%201=1", 'x'.repeat(128), '%F0%9F%90%8D']) {
      const { status, json } = await wopr.ask(`/v1/runs/${id}${suffix}`, { method });
      expect({ id, status, error: json.error }).toEqual({ id, status: 404, error: 'not_found' });
    }
    const { status } = await wopr.ask(`/v1/runs/${'x'.repeat(200)}${suffix}`, { method });
    expect(status).toBe(400);
  });

  test('a live key does not see test runs', async () => {
    const runId = await wopr.run(NOOP, {}, 'test');
    expect((await wopr.ask(`/v1/runs/${runId}`)).status).toBe(404);
    expect((await wopr.ask(`/v1/runs/${runId}`, { as: 'test' })).status).toBe(200);
    const listed = await wopr.ask('/v1/runs');
    expect(listed.json.runs.map((run: { runId: string }) => run.runId)).not.toContain(runId);
    const own = await wopr.ask('/v1/runs', { as: 'test' });
    expect(own.json.runs.map((run: { runId: string }) => run.runId)).toContain(runId);
  });
});

describe('GET /v1/runs/{runId}', () => {
  test('is the snapshot, with the error of a failed run', async () => {
    const runId = await wopr.run('conformance-failure');
    const snapshot = await wopr.finished(runId);
    expect(compileSchema(RunSnapshot)(snapshot)).toBe(true);
    expect(snapshot).toMatchObject({ status: 'failed', error: { code: 'conformance_test_failure' } });
  });
});

describe('a run stored by a newer engine', () => {
  const store = (runId: string, engineVersion: number, test: boolean) =>
    wopr.kernel.services.log.createRun({
      runId,
      header: header(runId, { tenantId: 'default', engineVersion, test }),
      entries: [entry(runId, 0, 'run.started', { workflowId: 'demo' }), entry(runId, 1, 'run.completed', {})],
      projection: completed,
      release: true,
    });

  test('is refused on every surface, with both versions', async () => {
    await store('run_newer', 2, false);
    for (const [method, suffix] of SURFACES) {
      const { status, json } = await wopr.ask(`/v1/runs/run_newer${suffix}`, { method });
      expect({ status, error: json.error }).toEqual({ status: 409, error: 'engine_version_mismatch' });
      expect(json.details).toEqual({ runId: 'run_newer', persistedVersion: 2, currentVersion: 1 });
    }
  });

  test('is readable when the version was forced, within the range', async () => {
    await store('run_forced', 2, true);
    await store('run_forced_newer', 3, true);
    const poll = (runId: string) => wopr.ask(`/v1/runs/${runId}/events/poll`, { as: 'test' });
    expect((await poll('run_forced')).status).toBe(200);
    expect((await poll('run_forced_newer')).json.error).toBe('engine_version_mismatch');
  });
});

describe('GET /v1/runs', () => {
  test('lists newest first, in pages', async () => {
    const tag = 'list:pages';
    const created: string[] = [];
    for (let i = 0; i < 5; i++) created.push(await wopr.run(NOOP, { tags: [tag] }));
    const seen: string[] = [];
    let path = `/v1/runs?tag=${tag}&limit=2`;
    for (let pages = 1; ; pages++) {
      const { status, json } = await wopr.ask(path);
      expect(status).toBe(200);
      expect(compileSchema(RunList)(json)).toBe(true);
      seen.push(...json.runs.map((run: { runId: string }) => run.runId));
      if (json.nextCursor === undefined) {
        expect(pages).toBe(3);
        break;
      }
      path = `/v1/runs?tag=${tag}&limit=2&cursor=${json.nextCursor}`;
    }
    expect(seen).toEqual(created.toReversed());
  });

  test('filters by status and workflow', async () => {
    const tag = 'list:filters';
    const failed = await wopr.run('conformance-failure', { tags: [tag] });
    const done = await wopr.run(NOOP, { tags: [tag] });
    await wopr.finished(failed);
    await wopr.finished(done);
    const ids = async (query: string) =>
      (await wopr.ask(`/v1/runs?tag=${tag}&${query}`)).json.runs.map((run: { runId: string }) => run.runId);
    expect(await ids('status=failed')).toEqual([failed]);
    expect(await ids(`workflowId=${NOOP}`)).toEqual([done]);
    expect(await ids(`workflowId=${NOOP}&status=failed`)).toEqual([]);
    expect((await wopr.ask(`/v1/runs?tag=${tag}`, { as: 'stranger' })).json.runs).toEqual([]);
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'status=sleeping',
    'status=failed&status=failed',
    'tag=',
    'cursor=',
  ])('refuses %s', async (query) => {
    const { status, json } = await wopr.ask(`/v1/runs?${query}`);
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'validation_error' });
  });
});

describe.each(['/cancel', ':cancel'])('POST /v1/runs/{runId}%s', (suffix) => {
  test('cancels a live run, for good, and says by whom and why', async () => {
    const runId = await wopr.run(SLOW);
    const { status, json } = await wopr.post(`/v1/runs/${runId}${suffix}`, { reason: 'enough' });
    expect(status).toBe(200);
    expect(json.runId).toBe(runId);
    expect(['cancelled', 'cancelling']).toContain(json.status);
    expect(await wopr.finished(runId)).toMatchObject({ status: 'cancelled' });
    const { json: log } = await wopr.ask(`/v1/runs/${runId}/events/poll`);
    expect(log.events.at(-1)).toMatchObject({
      type: 'run.cancelled',
      payload: { reason: 'enough', cancelledBy: 'live' },
    });
    expect((await wopr.post(`/v1/runs/${runId}${suffix}`)).json).toEqual({ runId, status: 'cancelled' });
  });

  test('answers a finished run with the status it has', async () => {
    const runId = await wopr.run(NOOP);
    await wopr.finished(runId);
    expect(await wopr.post(`/v1/runs/${runId}${suffix}`)).toMatchObject({
      status: 200,
      json: { runId, status: 'completed' },
    });
  });

  test.each([{ reason: 1 }, { because: 'x' }, []])('refuses the body %j', async (body) => {
    const runId = await wopr.run(SLOW);
    expect((await wopr.post(`/v1/runs/${runId}${suffix}`, body)).status).toBe(400);
    expect((await wopr.post(`/v1/runs/${runId}${suffix}`)).status).toBe(200);
  });

  test('needs the scope runs:cancel', async () => {
    const { status, json } = await wopr.post(`/v1/runs/any${suffix}`, undefined, { as: 'reader' });
    expect(status).toBe(403);
    expect(json.details.scopeRequired).toBe('runs:cancel');
  });
});
