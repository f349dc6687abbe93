// Markdown as the rules need it: pages, links, code, and tables that a comment marks as checked.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** Path from the root of the repository to content, for every page that is not installed, stored or hidden. */
export function readPages(root = ROOT): Map<string, string> {
  const pages = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (!entry.isFile() || !path.endsWith('.md')) continue;
    if (path.split('/').some((part) => part === 'node_modules' || part.startsWith('.'))) continue;
    pages.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return pages;
}

export interface Fence {
  readonly language: string;
  readonly text: string;
  /** Text of the HTML comment right before the block, e.g. `workflow`. */
  readonly mark: string | undefined;
}

const FENCE = /^(?: *<!-- ([^\n]*?) -->\n)?( *)(`{3,})([^\n`]*)\n([\s\S]*?)^\2\3[ \t]*$/gm;

export function fences(page: string): Fence[] {
  return [...page.matchAll(FENCE)].map(([, mark, , , language = '', text = '']) => ({
    language: language.trim(),
    text,
    mark,
  }));
}

/** The page without fenced blocks, where links and code spans mean what they say. */
export const prose = (page: string): string => page.replace(FENCE, '');

/** Targets of links and images. */
export function links(page: string): string[] {
  const text = prose(page).replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** Code spans outside fenced blocks. */
export function codeSpans(page: string): string[] {
  return [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Anchors of the headings, as Git hosts make them. */
export function anchors(page: string): string[] {
  return headings(page).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

export function headings(page: string, level?: number): string[] {
  const marks = level === undefined ? '#{1,6}' : `#{${level}}`;
  return [...prose(page).matchAll(new RegExp(`^${marks} (.+)$`, 'gm'))].map(([, heading = '']) =>
    heading.trim(),
  );
}

/** Rows (without the heading) of the table that follows `<!-- checked: name -->`. Throws when there is none. */
export function checkedTable(page: string, name: string): string[][] {
  const start = page.indexOf(`<!-- checked: ${name} -->`);
  const lines = start < 0 ? [] : page.slice(start).split('\n').slice(1);
  const table = lines.slice(0, lines.findIndex((line) => !line.startsWith('|')) >>> 0);
  if (table.length < 3) throw new Error(`there is no table marked "checked: ${name}"`);
  return table.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}

/** What the code spans of a cell say. */
export const codeOf = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** A path relative to a page, as a path from the root. */
export const fromPage = (page: string, target: string): string => posix.join(posix.dirname(page), target);
