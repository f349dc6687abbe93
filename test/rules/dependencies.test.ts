import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forbiddenImports, importsOf, overBudget, readSources } from './dependencies.ts';

const sources = readSources(join(import.meta.dirname, '../..'), ['kernel', 'plugins', 'schemas']);

describe('this repository', () => {
  it('is really read', () => {
    expect(sources.size).toBeGreaterThan(50);
    expect(importsOf('kernel/plugin/loader.ts', sources.get('kernel/plugin/loader.ts') ?? '')).toContain(
      'kernel/errors.ts',
    );
  });

  it('imports only what its rules allow', () => {
    expect(forbiddenImports(sources)).toEqual([]);
  });

  it('keeps the kernel within its budget', () => {
    expect(overBudget(sources)).toEqual([]);
  });
});

describe('the rules can fail', () => {
  const complaints = (path: string, source: string) => forbiddenImports(new Map([[path, source]]));

  it.each<[string, string]>([
    ['import', `import { x } from '../plugins/http/index.ts';`],
    ['import for its effects', `import '../plugins/http/index.ts';`],
    ['import of types', `import type { X } from "../plugins/http/index.ts";`],
    ['import over several lines', `import {\n  x,\n  type Y,\n} from '../plugins/http/index.ts';`],
    ['export', `export * from '../plugins/http/index.ts';`],
    ['dynamic import', `const x = await import('../plugins/http/index.ts');`],
    ['dynamic import of a template', 'const x = import(`../plugins/http/index.ts`);'],
    ['annotated dynamic import', `await import(/* @vite-ignore */ '../plugins/http/index.ts');`],
    ['type import', `let x: import('../plugins/http/index.ts').X;`],
    ['require', `const x = require('../plugins/http/index.ts');`],
    ['resolve', `import.meta.resolve('../plugins/http/index.ts')`],
    ['URL', `new URL('../plugins/http/index.ts', import.meta.url)`],
  ])('on a kernel file with an %s', (_, source) => {
    expect(complaints('kernel/kernel.ts', `const before = 1;\n${source}\nconst after = 2;`)).toEqual([
      'kernel/kernel.ts imports plugins/http/index.ts: kernel/ imports nothing from plugins/.',
    ]);
  });

  it.each<[string, string, string]>([
    ['kernel/log/x.ts', '../../packs/x.ts', 'kernel/ imports nothing from packs/'],
    ['kernel/log/x.ts', '../../registry/x.ts', 'kernel/ imports nothing from registry/'],
    ['schemas/x.ts', '../kernel/errors.ts', 'schemas/ imports nothing but schemas/'],
    ['schemas/payloads/x.ts', '../../plugins/http/contract.ts', 'schemas/ imports nothing but schemas/'],
    ['plugins/a/x.ts', '../b/index.ts', 'from another plugin only its contract.ts may be imported'],
    ['plugins/a/x.ts', '../b/deep/contract.ts', 'from another plugin only its contract.ts may be imported'],
    ['plugins/a/deep/x.ts', '../../b/x.ts', 'from another plugin only its contract.ts may be imported'],
  ])('on %s with %s', (path, target, rule) => {
    expect(complaints(path, `import { x } from '${target}';`)).toEqual([
      expect.stringContaining(`: ${rule}.`),
    ]);
  });

  it('but not on what is allowed', () => {
    expect(
      complaints('plugins/a/x.ts', `import '../b/contract.ts'; import './y.ts'; import '../../kernel/x.ts';`),
    ).toEqual([]);
    expect(complaints('plugins/a/deep/x.ts', `import '../y.ts';`)).toEqual([]);
    expect(complaints('kernel/x.ts', `import semver from 'semver';\nimport '../schemas/x.ts';`)).toEqual([]);
    expect(complaints('schemas/x.ts', `import './y.ts';`)).toEqual([]);
    expect(complaints('kernel/main.ts', `new URL('../plugins/', import.meta.url)`)).toEqual([]);
  });

  it('on a part of the kernel that is too large or has no budget; tests, comments and blank lines do not count', () => {
    const grown = new Map([
      ['kernel/kernel.ts', '/** Says\n * what. */\none\n\ntwo\n'],
      ['kernel/log/log.ts', 'one\n// why\ntwo\nthree'],
      ['kernel/log/log.test.ts', 'test\n'.repeat(100)],
      ['kernel/log/contract.ts', `import { it } from 'vitest';\n${'test\n'.repeat(100)}`],
      ['plugins/http/index.ts', 'line\n'.repeat(100)],
    ]);
    expect(overBudget(grown, { kernel: 2, 'kernel/log': 3 })).toEqual([]);
    expect(overBudget(grown, { kernel: 2, 'kernel/log': 2 })).toEqual([
      'kernel/log/ has 3 lines of code, its budget is 2. What could be a plugin?',
    ]);
    expect(overBudget(grown, { 'kernel/log': 3 })).toEqual([
      'kernel/ has 2 lines of code, its budget is 0. What could be a plugin?',
    ]);
  });
});
