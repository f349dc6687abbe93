// The tables of docs/operating.md that come from schemas. `node test/rules/config-reference.ts` writes them (then: npm run format); a test
// compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigSchema } from '../../kernel/config/schema.ts';
import type { PluginManifest } from '../../kernel/plugin/types.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { ROOT } from './markdown.ts';

export const PAGE = 'docs/operating.md';

/** Manifests of the plugins that ship with wopr, by name. */
export function builtInManifests(): PluginManifest[] {
  const folder = join(ROOT, 'plugins');
  return readdirSync(folder)
    .map((name) => join(folder, name, 'plugin.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as PluginManifest)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The page with its generated blocks as they should be. */
export function withReference(page: string): string {
  const blocks: Record<string, () => string> = {
    'kernel configuration': () => table(leaves(ConfigSchema as unknown as JsonObject)),
    'plugin configuration': pluginTables,
  };
  return page.replace(
    /(<!-- generated: (.*?) -->\n)[\s\S]*?(<!-- end of generated -->)/g,
    (whole, begin: string, name: string, end: string) => {
      const block = blocks[name];
      return block === undefined ? whole : `${begin}${block()}\n${end}`;
    },
  );
}

/** Without the padding of tables, which is the formatter's business. */
export const unpadded = (page: string): string =>
  page
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.replace(/ +/g, ' ').replace(/ ?-{3,} ?/g, '---') : line))
    .join('\n');

function pluginTables(): string {
  return builtInManifests()
    .map(({ name, description, config, required, enabledByDefault }) => {
      const keys = leaves(config ?? {});
      const text = [
        escaped(description),
        ...(required === false ? ['Optional: the host starts without it.'] : []),
        ...(enabledByDefault === false ? ['Off by default.'] : []),
        ...(keys.length === 0 ? ['No configuration.'] : []),
      ].join(' ');
      const head = `### ${name}\n\n${text}`;
      return keys.length === 0 ? head : `${head}\n\n${table(keys)}`;
    })
    .join('\n\n');
}

interface Leaf {
  readonly key: string;
  readonly schema: JsonObject;
}

function leaves(schema: JsonObject, prefix = ''): Leaf[] {
  return Object.entries(asObject(schema.properties)).flatMap(([key, value]) => {
    const child = asObject(value);
    if (key === '$schema') return [];
    return child.properties === undefined
      ? [{ key: prefix + key, schema: child }]
      : leaves(child, `${prefix}${key}.`);
  });
}

function table(keys: readonly Leaf[]): string {
  const rows = keys.map(({ key, schema }) => {
    const initial = schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``;
    const values = Array.isArray(schema.enum)
      ? ` One of ${schema.enum.map((v) => `\`${v}\``).join(', ')}.`
      : '';
    return `| \`${key}\` | ${initial} | ${escaped(`${schema.description ?? ''}${values}`.trim())} |`;
  });
  return ['| Key | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** What Markdown would take for a column or a tag. */
const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const asObject = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

if (import.meta.main) {
  const path = join(ROOT, PAGE);
  writeFileSync(path, withReference(readFileSync(path, 'utf8')));
}
