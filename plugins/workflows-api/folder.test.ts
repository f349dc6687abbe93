import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';

let dataDir: string;
let wopr: TestWopr | undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-folder-'));
  mkdirSync(join(dataDir, 'workflows'));
});
afterEach(async () => {
  await wopr?.stop();
  wopr = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

const NOOP = [{ typeId: 'core.noop' }];
const write = (file: string, content: unknown) =>
  writeFileSync(
    join(dataDir, 'workflows', file),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
const known = async (id: string) => (await wopr?.ask(`/v1/workflows/${id}`))?.status;
const health = () =>
  wopr?.kernel.extensions
    .list('healthChecks')
    .find(({ id }) => id === 'workflow-files')
    ?.value.check();

test('files are registered for every tenant before the host is ready; other files are not read', async () => {
  write('good.json', chain('from-file', NOOP));
  write('notes.txt', 'not a workflow');
  wopr = await startWopr({ dataDir });
  for (const as of ['live', 'stranger']) expect(await wopr.run('from-file', {}, as)).toMatch(/^run_/);
  expect(health()).toEqual({ status: 'ok' });
});

test('a bad file is logged by name with its findings, degrades health, and keeps nothing else from working', async () => {
  write('a-broken.json', '{ "id": ');
  write('b-invalid.json', chain('invalid', [{ typeId: 'core.nowhere' }]));
  write('c-good.json', chain('good', NOOP));
  wopr = await startWopr({ dataDir });
  expect(await known('good')).toBe(200);
  expect(await known('invalid')).toBe(404);
  const warned = wopr.logged.filter((line) => line.msg === 'workflow file was not registered');
  expect(warned.map(({ file }) => file)).toEqual(['a-broken.json', 'b-invalid.json']);
  expect(warned[1]?.errors).toEqual([expect.objectContaining({ path: '/nodes/0/typeId', nodeId: 'n0' })]);
  expect(health()).toMatchObject({
    status: 'degraded',
    detail: expect.stringMatching(/a-broken\.json.*b-invalid\.json/),
  });
});

test('changed, repaired, new and removed files are noticed', async () => {
  write('a.json', chain('a', NOOP));
  write('b.json', '{');
  wopr = await startWopr({ dataDir });
  expect(health()?.status).toBe('degraded');
  write('a.json', { ...chain('a', NOOP), version: '2.0' });
  write('b.json', chain('b', NOOP));
  write('c.json', chain('c', NOOP));
  write('d.json', '[]');
  await eventually(async () => [await known('a?version=2.0'), await known('b'), await known('c')]).toEqual([
    200, 200, 200,
  ]);
  await eventually(() => health()?.detail).toMatch(/^d\.json/);
  rmSync(join(dataDir, 'workflows', 'd.json'));
  await eventually(health).toEqual({ status: 'ok' });
  expect(await known('a?version=1.0')).toBe(200);
});

test('a change without a new version is refused, and says what to do', async () => {
  write('a.json', chain('a', NOOP));
  wopr = await startWopr({ dataDir });
  write('a.json', { ...chain('a', NOOP), description: 'changed' });
  await eventually(() => health()?.detail).toMatch(/^a\.json.*[Vv]ersion 1\.0/);
});

test('the folder is made when it is missing, and files too large are refused', async () => {
  rmSync(join(dataDir, 'workflows'), { recursive: true });
  wopr = await startWopr({ dataDir, config: { 'plugins.workflows-api.config.bodyLimitBytes': 2_000 } });
  expect(health()).toEqual({ status: 'ok' });
  write('large.json', chain('large', NOOP, { description: 'x'.repeat(2_000) }));
  await eventually(() => health()?.detail).toMatch(/^large\.json: is larger than 2000 bytes/);
});

test('nothing watches any more after the host has stopped', async () => {
  wopr = await startWopr({ dataDir });
  await wopr.kernel.plugins.stop('workflows-api');
  write('late.json', chain('late', NOOP));
  expect(wopr.kernel.plugins.effects().filter((label) => label.startsWith('workflows-api'))).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(wopr.kernel.services.workflows.get('late', null)).toBeUndefined();
});
