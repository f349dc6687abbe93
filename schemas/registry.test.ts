import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { components } from './openapi.ts';
import { WIRE_SCHEMAS } from './registry.ts';

/** Titled definitions a module exports. */
async function titlesOf(file: string): Promise<string[]> {
  const module: Record<string, unknown> = await import(file);
  return Object.values(module).flatMap((value) => {
    const title = typeof value === 'object' && value !== null && 'title' in value ? value.title : undefined;
    return typeof title === 'string' ? [title] : [];
  });
}

test('every titled definition in this folder is published, and no two differ under one title', async () => {
  const files = (await readdir(import.meta.dirname, { recursive: true }))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(import.meta.dirname, file));
  const titles = new Set((await Promise.all(files.map(titlesOf))).flat());
  expect([...titles].filter((title) => !(title in components()))).toEqual([]);
  expect(titles.size).toBeGreaterThan(Object.keys(WIRE_SCHEMAS).length);
});

test('names follow titles', () => {
  for (const [name, { title }] of Object.entries(WIRE_SCHEMAS) as [string, { title?: string }][]) {
    const kebab = (title ?? '').replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();
    expect(kebab).toBe(name);
  }
});
