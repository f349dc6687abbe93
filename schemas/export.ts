// CLI: writes the definitions as JSON Schema 2020-12 for other languages; `--check` compares instead.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TSchema } from 'typebox';
import { RUN_EVENT_TYPES } from './event-types.ts';
import { Parts } from './hoist.ts';
import type { JsonObject } from './json.ts';
import { PAYLOAD_SCHEMAS } from './payloads/index.ts';
import { WIRE_SCHEMAS } from './registry.ts';

const BASE = 'https://wopr.dev/schemas/';
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const OUTPUT = join(import.meta.dirname, 'json');

/** Returns file name → content of every exported schema. */
export function exportedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const add = (name: string, schema: JsonObject) => {
    const file = `${name}.schema.json`;
    const document = { $schema: DIALECT, $id: BASE + file, ...schema };
    files.set(file, `${JSON.stringify(document, null, 2)}\n`);
  };
  for (const [name, schema] of Object.entries(WIRE_SCHEMAS)) add(name, selfContained(schema));
  add('run-event-payloads', payloads());
  return files;
}

/** One definition with the named parts it uses under `$defs`, so a file can be read alone. */
function selfContained(schema: TSchema): JsonObject {
  const parts = new Parts('#/$defs/');
  const root = parts.inline(schema);
  return Object.keys(parts.schemas).length === 0 ? root : { ...root, $defs: parts.schemas };
}

/** All payloads in one file, each under its event type: `#/$defs/node.completed`. */
function payloads(): JsonObject {
  const parts = new Parts('#/$defs/');
  const byType = RUN_EVENT_TYPES.map((type) => [type, parts.inline(PAYLOAD_SCHEMAS[type])] as const);
  return {
    title: 'RunEventPayloads',
    description: 'Payload of each event type.',
    $defs: { ...Object.fromEntries(byType), ...parts.schemas },
  };
}

/** Names the files of `directory` that are missing, surplus or different from what would be written. */
export async function staleFiles(directory: string): Promise<string[]> {
  const expected = exportedFiles();
  const present = await listFiles(directory);
  const stale = present.filter((file) => !expected.has(file));
  for (const [file, content] of expected) {
    const same = present.includes(file) && (await readFile(join(directory, file), 'utf8')) === content;
    if (!same) stale.push(file);
  }
  return stale.sort();
}

/** Makes `directory` hold exactly the exported files. */
export async function writeFiles(directory: string): Promise<void> {
  const expected = exportedFiles();
  await mkdir(directory, { recursive: true });
  for (const file of await listFiles(directory)) {
    if (!expected.has(file)) await rm(join(directory, file));
  }
  for (const [file, content] of expected) await writeFile(join(directory, file), content);
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch(() => []);
  return entries.filter((entry) => entry.endsWith('.schema.json'));
}

async function main(): Promise<void> {
  if (!process.argv.includes('--check')) return writeFiles(OUTPUT);
  const stale = await staleFiles(OUTPUT);
  if (stale.length === 0) return;
  console.error(
    `Exported schemas differ from the definitions, run \`npm run schemas\`:\n  ${stale.join('\n  ')}`,
  );
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
