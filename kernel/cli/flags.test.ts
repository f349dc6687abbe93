import { describe, expect, it } from 'vitest';
import { splitGlobalFlags } from './flags.ts';

describe('splitGlobalFlags', () => {
  it('takes global flags from anywhere and leaves the rest in order', () => {
    const { flags, rest } = splitGlobalFlags([
      '--json',
      'runs',
      '--data-dir',
      '/d',
      'list',
      '--log-level=debug',
      '--tag',
      'x',
      '--no-color',
    ]);
    expect(flags).toEqual({ json: true, noColor: true, dataDir: '/d', logLevel: 'debug' });
    expect(rest).toEqual(['runs', 'list', '--tag', 'x']);
  });

  it('does not take flags that only begin alike', () => {
    expect(splitGlobalFlags(['run', 'x', '--configurable', '{}']).rest).toEqual([
      'run',
      'x',
      '--configurable',
      '{}',
    ]);
  });

  it('leaves everything after -- alone', () => {
    const { flags, rest } = splitGlobalFlags(['run', '--', '--json']);
    expect(flags.json).toBe(false);
    expect(rest).toEqual(['run', '--', '--json']);
  });

  it('refuses a missing value and an unknown level, with exit code 2', () => {
    expect(() => splitGlobalFlags(['serve', '--config'])).toThrow('--config needs a value.');
    expect(() => splitGlobalFlags(['serve', '--config='])).toThrow('--config needs a value.');
    expect(() => splitGlobalFlags(['serve', '--log-level', 'loud'])).toThrow(
      expect.objectContaining({ exitCode: 2 }),
    );
  });
});
