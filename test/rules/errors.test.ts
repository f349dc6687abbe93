import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from '../../kernel/errors.ts';
import { readSources, type Sources } from './dependencies.ts';
import { checkedTable, codeOf, ROOT, readPages } from './markdown.ts';

const page = readPages().get('docs/errors.md') ?? '';
const documented = ['http errors', 'run errors', 'operator errors'].flatMap((table) =>
  checkedTable(page, table),
);
/** Codes that wait for what raises them; the section is absent when there are none. */
const reserved = page.includes('## Reserved')
  ? checkedTable(page, 'reserved errors').flatMap(([first]) => codeOf(first))
  : [];
const catalogue = Object.entries(ERROR_CATALOGUE) as [ErrorCode, ErrorEntry][];
const sources = readSources(ROOT, ['kernel', 'plugins']);

/** Files that raise a code: everything but tests and the catalogue itself in which the code stands in quotes. */
function raisedIn(code: string, from: Sources): string[] {
  return [...from]
    .filter(([path]) => path !== 'kernel/errors.ts' && !path.endsWith('.test.ts'))
    .filter(([, text]) => text.includes(`'${code}'`))
    .map(([path]) => path);
}

/** Codes given to `new WoprError`, which the type checker knows already; found again here to show that the search works. */
const constructed = new Set(
  [...sources.values()].flatMap((text) =>
    [...text.matchAll(/new WoprError\(\s*'([a-z_]+)'/g)].map(([, code = '']) => code),
  ),
);

describe('docs/errors.md', () => {
  it('has a row for every code of the catalogue, and no other', () => {
    expect(documented.map(([first]) => codeOf(first)[0]).sort()).toEqual(
      catalogue.map(([code]) => code).sort(),
    );
  });

  it.each(catalogue)('says of %s what the catalogue says', (code, { status, retry, hint }) => {
    const row = documented.find(([first]) => codeOf(first)[0] === code);
    const [, httpStatus, retryClass, meaning, advice] = row ?? [];
    expect({ httpStatus, retryClass, advice }).toEqual({
      httpStatus: status === null ? '–' : String(status),
      retryClass: retry,
      advice: hint,
    });
    expect(meaning).not.toBe('');
  });

  it('lists as reserved exactly the codes that nothing raises', () => {
    const unraised = catalogue.map(([code]) => code).filter((code) => raisedIn(code, sources).length === 0);
    expect(reserved.sort()).toEqual(unraised.sort());
  });
});

describe('the sources', () => {
  it('raise only codes of the catalogue', () => {
    expect(constructed.size).toBeGreaterThan(10);
    expect([...constructed].filter((code) => !Object.hasOwn(ERROR_CATALOGUE, code))).toEqual([]);
  });

  it('are searched without tests and the catalogue', () => {
    const found = raisedIn(
      'gone',
      new Map([
        ['kernel/errors.ts', `'gone'`],
        ['kernel/a.test.ts', `'gone'`],
        ['plugins/a/index.ts', `new WoprError('gone', '')`],
      ]),
    );
    expect(found).toEqual(['plugins/a/index.ts']);
  });
});
