import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';
import { seedFixtures } from './seed.ts';

const FOLDER = join(import.meta.dirname, 'definitions');
const definitions = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as WorkflowDefinition,
);

let wopr: TestWopr;
beforeAll(async () => {
  wopr = await startWopr();
});
afterAll(() => wopr.stop());

const fixtures = async (host: TestWopr) => (await host.ask('/.well-known/openwop')).json.fixtures;

describe('the fixtures in the discovery document', () => {
  test('are exactly the definitions whose node types exist, and can be read verbatim', async () => {
    const known = new Set(wopr.kernel.extensions.list('nodeTypes').map(({ id }) => id));
    const runnable = definitions.filter(({ nodes }) => nodes.every(({ typeId }) => known.has(typeId)));
    expect(runnable.length).toBeGreaterThan(5);
    expect(await fixtures(wopr)).toEqual(runnable.map(({ id }) => id).sort());
    for (const definition of runnable)
      expect((await wopr.ask(`/v1/workflows/${definition.id}`)).json).toEqual(definition);
  });

  test('are absent unless the plugin is enabled', async () => {
    const plain = await startWopr({ config: { 'plugins.conformance-fixtures.enabled': false } });
    try {
      expect(await fixtures(plain)).toBeUndefined();
      expect((await plain.ask('/v1/workflows')).json.workflows).toEqual([]);
    } finally {
      await plain.stop();
    }
  });

  test('are seeded again without harm', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'wopr-fixtures-'));
    try {
      const first = await startWopr({ dataDir });
      const before = await fixtures(first);
      await first.stop();
      const second = await startWopr({ dataDir });
      expect(await fixtures(second)).toEqual(before);
      await second.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

test('a missing node type or a refusal leaves out one fixture and no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wopr-fixtures-'));
  try {
    const put = (name: string, definition: object) =>
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(definition));
    put('good', chain('seed-good', [{ typeId: 'core.noop' }]));
    put('later', chain('seed-later', [{ typeId: 'core.noop' }, { typeId: 'core.not.yet' }]));
    put(
      'refused',
      chain('seed-refused', [{ typeId: 'core.noop' }], {
        edges: [{ id: 'e', sourceNodeId: 'n0', targetNodeId: 'no' }],
      }),
    );
    const seeded = await seedFixtures({
      folder,
      workflows: wopr.kernel.services.workflows,
      nodeTypes: new Set(['core.noop']),
      logger: pino({ level: 'silent' }),
    });
    expect(seeded).toEqual(['seed-good']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('conformance.requiresMissing is accepted, and fails without being executed', async () => {
  const runId = await wopr.run('conformance-capability-missing');
  const snapshot = await wopr.finished(runId);
  expect(snapshot).toMatchObject({ status: 'failed', error: { code: 'capability_not_provided' } });
  expect(snapshot.error.message).toContain('conformance.never-provided');
  const { json } = await wopr.ask(`/v1/runs/${runId}/events/poll`);
  const types = json.events.map((event: RunEventDoc) => event.type);
  expect(types).not.toContain('node.started');
  expect(types.at(-1)).toBe('run.failed');
});
