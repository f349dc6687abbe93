import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentSettings } from '../../kernel/config/environment.ts';
import { PLUGIN_MANIFEST_SCHEMA } from '../../kernel/plugin/manifest.ts';
import { EXTENSION_POINTS, POINT_RULES } from '../../kernel/plugin/points/rules.ts';
import type { ExtensionPoint } from '../../kernel/plugin/types.ts';
import { EVENT_TIERS, RUN_EVENT_TYPES } from '../../schemas/event-types.ts';
import { builtInManifests, PAGE, unpadded, withReference } from './config-reference.ts';
import { readSources } from './dependencies.ts';
import { checkedTable, codeOf, headings, ROOT, readPages } from './markdown.ts';

const pages = readPages();
const page = (path: string) => pages.get(path) ?? '';
const table = (path: string, name: string) => checkedTable(page(path), name);
const firstColumn = (path: string, name: string) =>
  table(path, name)
    .flatMap(([first]) => codeOf(first))
    .sort();
const manifests = builtInManifests();
const contributed = (point: ExtensionPoint) =>
  manifests.flatMap(({ contributes }) => contributes?.[point] ?? []).sort();

describe('docs/operating.md', () => {
  it('gives every key of the configuration as its schema does', () => {
    // Different? Run: node test/rules/config-reference.ts && npm run format
    expect(unpadded(page(PAGE))).toBe(unpadded(withReference(page(PAGE))));
    expect(unpadded(page(PAGE))).toContain('| `claims.ttlMs` | `10000` |');
  });

  it('names every environment variable that has a name of its own', () => {
    const source = readFileSync(join(ROOT, 'kernel/config/environment.ts'), 'utf8');
    const shared = [...source.matchAll(/^ {2}(OPENWOP_\w+): \[/gm)].map(([, name = '']) => name);
    expect(shared).toContain('OPENWOP_PORT');
    const documented = firstColumn(PAGE, 'environment');
    expect(documented).toEqual(expect.arrayContaining(shared));
    const { warnings } = environmentSettings(Object.fromEntries(documented.map((name) => [name, '1'])));
    expect(warnings).toEqual([]);
  });

  it.each(['metrics', 'healthChecks'] as const)('names all %s of the built-in plugins', (point) => {
    expect(firstColumn(PAGE, point)).toEqual(contributed(point));
  });
});

describe('docs/http-api.md', () => {
  it('names every endpoint of the built-in plugins', () => {
    expect(firstColumn('docs/http-api.md', 'routes')).toEqual(contributed('routes'));
  });
});

describe('docs/architecture.md', () => {
  it('names every extension point', () => {
    expect(firstColumn('docs/architecture.md', 'extension points')).toEqual([...EXTENSION_POINTS].sort());
  });

  it('says of shared ids, and only of them, that several plugins may share them', () => {
    for (const [first, , id = ''] of table('docs/architecture.md', 'extension points')) {
      const point = codeOf(first)[0] as ExtensionPoint;
      expect(id.includes('share'), point).toBe(POINT_RULES[point].shared === true);
    }
  });
});

describe('docs/plugins.md', () => {
  it('names every key of plugin.json, and which are required', () => {
    const { properties, required } = PLUGIN_MANIFEST_SCHEMA as {
      properties: Record<string, unknown>;
      required: string[];
    };
    expect(firstColumn('docs/plugins.md', 'manifest keys')).toEqual(Object.keys(properties).sort());
    const documented = table('docs/plugins.md', 'manifest keys').filter(([, needed]) => needed === 'yes');
    expect(documented.flatMap(([first]) => codeOf(first)).sort()).toEqual([...required].sort());
  });

  it('has a section for every extension point', () => {
    expect(headings(page('docs/plugins.md'), 3)).toEqual(expect.arrayContaining(EXTENSION_POINTS));
  });

  it('names the services of the kernel', () => {
    const source = readFileSync(join(ROOT, 'kernel/plugin/types.ts'), 'utf8');
    const body = /export interface Services \{([^}]*)\}/.exec(source)?.[1] ?? '';
    const services = [...body.matchAll(/(\w+):/g)].map(([, name]) => name);
    expect(firstColumn('docs/plugins.md', 'kernel services')).toEqual(services.sort());
  });
});

describe('the event types of docs/protocol-coverage.md', () => {
  const rows = table('docs/protocol-coverage.md', 'event types');
  const emitting = [...readSources(ROOT, ['kernel', 'plugins'])].filter(
    ([path, text]) => !path.endsWith('.test.ts') && !path.includes('/testing') && !/from 'vitest'/.test(text),
  );
  const emitters = (type: string) =>
    emitting.filter(([, text]) => text.includes(`type: '${type}'`)).map(([path]) => path);

  it('are the 47 of the protocol', () => {
    expect(rows.map(([type]) => codeOf(type)[0]).sort()).toEqual([...RUN_EVENT_TYPES].sort());
  });

  it.each(rows.map((row) => [codeOf(row[0])[0] ?? '', row] as const))(
    '%s is emitted where the page says',
    (type, row) => {
      const [, tiers = '', where = ''] = row;
      expect(tiers).toBe(EVENT_TIERS[type as keyof typeof EVENT_TIERS].join(', ') || 'debug only');
      const named = codeOf(where);
      expect(emitters(type)).toEqual(expect.arrayContaining(named));
      expect(named.length > 0).toBe(emitters(type).length > 0);
    },
  );
});
