import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, codeSpans, fromPage, links, ROOT, readPages } from './markdown.ts';

const pages = readPages();

/** Folders whose names at the start of a code span make it a path of this repository. */
const AREAS = /^(kernel|plugins|schemas|test|docs|packs|registry|\.ci)\/[\w./-]+$/;

/** One sentence per link that leads nowhere. */
function brokenLinks(page: string, text: string): string[] {
  return links(text).flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : fromPage(page, path);
    if (target !== page && !existsSync(join(ROOT, target)))
      return [`${page} links to ${link}, which does not exist.`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    const known = anchors(target === page ? text : (pages.get(target) ?? ''));
    return known.includes(anchor) ? [] : [`${page} links to ${link}, but ${target} has no such heading.`];
  });
}

/** One sentence per path in backticks that does not exist. Wildcards stand for their folder. */
function brokenPaths(page: string, text: string): string[] {
  return codeSpans(text)
    .filter((code) => AREAS.test(code))
    .filter((path) => !existsSync(join(ROOT, path)))
    .map((path) => `${page} names ${path}, which does not exist.`);
}

describe('documentation', () => {
  it('is really read', () => {
    expect([...pages.keys()].map((path) => basename(path))).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'architecture.md']),
    );
  });

  it.each([...pages])('%s links to what exists', (page, text) => {
    expect(brokenLinks(page, text)).toEqual([]);
  });

  it.each([...pages])('%s names files that exist', (page, text) => {
    expect(brokenPaths(page, text)).toEqual([]);
  });
});

describe('these rules can fail', () => {
  it('on a link to a missing page, a missing heading and a missing file', () => {
    const text =
      '# One\n[a](missing.md) [b](#two) [c](#one) ![d](images/none.svg)\n```md\n[e](gone.md)\n```\n';
    expect(brokenLinks('docs/page.md', text)).toEqual([
      'docs/page.md links to missing.md, which does not exist.',
      'docs/page.md links to #two, but docs/page.md has no such heading.',
      'docs/page.md links to images/none.svg, which does not exist.',
    ]);
  });

  it('on a path in backticks', () => {
    const text = 'See `kernel/gone.ts`, `kernel/errors.ts` and `not/of/this/repository.ts`.';
    expect(brokenPaths('README.md', text)).toEqual(['README.md names kernel/gone.ts, which does not exist.']);
  });
});
