import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkedTable, codeOf, ROOT, readPages } from './markdown.ts';

const page = readPages().get('docs/dependencies.md') ?? '';
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe('docs/dependencies.md', () => {
  it.each([
    ['runtime', dependencies],
    ['development', devDependencies],
  ])('explains every %s dependency of package.json, and no other', (table, declared) => {
    const named = checkedTable(page, `${table} dependencies`).flatMap(([first]) => codeOf(first));
    expect(named.sort()).toEqual(Object.keys(declared).sort());
  });

  it('gives each a reason', () => {
    for (const table of ['runtime', 'development'])
      for (const row of checkedTable(page, `${table} dependencies`))
        for (const cell of row) expect(cell, row.join(' | ')).not.toBe('');
  });
});
