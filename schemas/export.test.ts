import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { RUN_EVENT_TYPES } from './event-types.ts';
import { exportedFiles, staleFiles, writeFiles } from './export.ts';
import { WIRE_SCHEMAS } from './registry.ts';

test('the files on disk are those the definitions give', async () => {
  expect(await staleFiles(join(import.meta.dirname, 'json'))).toEqual([]);
});

test('every definition is exported, each file valid 2020-12 on its own', () => {
  const files = exportedFiles();
  expect(files.size).toBe(Object.keys(WIRE_SCHEMAS).length + 1);
  for (const [file, content] of files) {
    const schema = JSON.parse(content);
    expect(schema).toMatchObject({ $id: `https://wopr.dev/schemas/${file}`, title: expect.any(String) });
    const ajv = new Ajv2020({ strict: true });
    addFormats.default(ajv);
    expect(() => ajv.compile(schema)).not.toThrow();
  }
});

test('payloads are found under their event type', () => {
  const payloads = JSON.parse(exportedFiles().get('run-event-payloads.schema.json') ?? '');
  for (const type of RUN_EVENT_TYPES) expect(payloads.$defs).toHaveProperty([type]);
});

test('missing, changed and surplus files are named, and writing cures all three', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wopr-schemas-'));
  try {
    await writeFiles(directory);
    expect(await staleFiles(directory)).toEqual([]);
    await rm(join(directory, 'agent-ref.schema.json'));
    await writeFile(join(directory, 'run-list.schema.json'), '{}');
    await writeFile(join(directory, 'gone.schema.json'), '{}');
    expect(await staleFiles(directory)).toEqual([
      'agent-ref.schema.json',
      'gone.schema.json',
      'run-list.schema.json',
    ]);
    await writeFiles(directory);
    expect(await staleFiles(directory)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
