// The rules on who may import whom, and on how large the kernel may get. Works on sources as text, so a test can feed it a bad one.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * Lines of code (no blank lines, no comments, no tests) each part of the kernel may have. A reason to think twice, never to golf: raise
 * one only with a reason in docs/architecture.md, "Kernel budget".
 */
export const KERNEL_BUDGETS: Readonly<Record<string, number>> = {
  kernel: 800,
  'kernel/cli': 400,
  'kernel/config': 450,
  'kernel/dispatch': 500,
  'kernel/engine': 1_650,
  'kernel/log': 1_800,
  'kernel/plugin': 1_350,
  'kernel/runs': 1_100,
};

/** Path from the root of the repository, with `/`, to content. */
export type Sources = ReadonlyMap<string, string>;

/** Every .ts, .js and .mjs file below the given folders, except installed packages. */
export function readSources(root: string, folders: readonly string[]): Sources {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !/\.(ts|js|mjs)$/.test(path) || path.includes('/node_modules/')) continue;
      sources.set(path.slice(root.length + 1), readFileSync(path, 'utf8'));
    }
  }
  return sources;
}

const IMPORTS = [
  // import … from 'x', export … from 'x', also over several lines and for types
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  // import 'x'
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  // import('x'), import(`x/${…}`), require('x'), import.meta.resolve('x')
  /\b(?:import|require|import\.meta\.resolve)\s*\(\s*(?:\/\*[\s\S]*?\*\/\s*)?['"`]([^'"`]+)['"`]/g,
  // new URL('x.ts', import.meta.url): a module by its address (folders and other files are only named, not run)
  /\bnew\s+URL\s*\(\s*['"`]([^'"`]+\.[cm]?[jt]s)['"`]\s*,\s*import\.meta\.url/g,
];

/** What a file imports from within the repository, as paths from its root. Imports in comments count: they mislead readers as well. */
export function importsOf(path: string, source: string): string[] {
  const found = IMPORTS.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] ?? ''));
  return found.filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(path), name));
}

/** One sentence per import that breaks a rule. */
export function forbiddenImports(sources: Sources): string[] {
  const complaints: string[] = [];
  for (const [path, source] of sources) {
    for (const target of importsOf(path, source)) {
      const rule = brokenRule(path.split('/'), target.split('/'));
      if (rule !== undefined) complaints.push(`${path} imports ${target}: ${rule}.`);
    }
  }
  return complaints;
}

function brokenRule(
  [area, plugin]: string[],
  [targetArea = '', targetPlugin, ...inside]: string[],
): string | undefined {
  if (area === 'kernel' && ['plugins', 'packs', 'registry'].includes(targetArea)) {
    return `kernel/ imports nothing from ${targetArea}/`;
  }
  if (area === 'schemas' && targetArea !== 'schemas') return 'schemas/ imports nothing but schemas/';
  if (
    area === 'plugins' &&
    targetArea === 'plugins' &&
    plugin !== targetPlugin &&
    inside.join('/') !== 'contract.ts'
  ) {
    return `from another plugin only its contract.ts may be imported`;
  }
  return undefined;
}

/** Lines of code of each part of the kernel; what only tests use does not count. */
export function kernelLines(sources: Sources): Map<string, number> {
  const lines = new Map<string, number>();
  for (const [path, source] of sources) {
    const test = /\.(test|fixture)\.ts$|\/testing\.ts$/.test(path) || /from 'vitest'/.test(source);
    if (!path.startsWith('kernel/') || test) continue;
    const part = path.split('/').slice(0, -1).slice(0, 2).join('/');
    lines.set(part, (lines.get(part) ?? 0) + codeLines(source));
  }
  return lines;
}

function codeLines(source: string): number {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  return code.split('\n').filter((line) => line.trim() !== '').length;
}

/** One sentence per part of the kernel that exceeds its budget, or has none. */
export function overBudget(sources: Sources, budgets = KERNEL_BUDGETS): string[] {
  return [...kernelLines(sources)]
    .filter(([part, lines]) => lines > (budgets[part] ?? 0))
    .map(
      ([part, lines]) =>
        `${part}/ has ${lines} lines of code, its budget is ${budgets[part] ?? 0}. What could be a plugin?`,
    );
}
