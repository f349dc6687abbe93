import { expect, it } from 'vitest';
import { mergeCapabilities } from './capabilities.ts';
import type { Contribution } from './types.ts';

const from = (plugin: string, id: string, value: Contribution<'capabilities'>['value']) => ({
  plugin,
  id,
  value,
});

it('merges objects, concatenates lists without repeats, accepts equal values, asks functions each time', () => {
  let count = 0;
  const parts = [
    from('a', 'limits', { runs: 5, modes: ['x', { deep: 1 }], nested: { one: 1 } }),
    from('b', 'limits', { runs: 5, modes: [{ deep: 1 }, 'y'], nested: { two: 2 } }),
    from('b', 'version', '1.0'),
    from('c', 'calls', () => ++count),
    from('d', 'constructor', { fine: true }),
  ];
  const merged = {
    limits: { runs: 5, modes: ['x', { deep: 1 }, 'y'], nested: { one: 1, two: 2 } },
    version: '1.0',
    calls: 1,
    constructor: { fine: true },
  };
  expect(mergeCapabilities(parts)).toEqual(merged);
  expect(mergeCapabilities(parts)).toEqual({ ...merged, calls: 2 });
});

it('does not change what plugins contributed', () => {
  const value = { modes: ['x'], nested: {} };
  mergeCapabilities([from('a', 'limits', value), from('b', 'limits', { modes: ['y'], nested: { two: 2 } })]);
  expect(value).toEqual({ modes: ['x'], nested: {} });
});

it.each<[string, Contribution<'capabilities'>['value'], Contribution<'capabilities'>['value'], string]>([
  ['different scalars', { runs: 5 }, { runs: 6 }, 'limits.runs'],
  ['a scalar and an object', 5, { runs: 6 }, 'limits'],
  ['an object and a list', {}, [], 'limits'],
  ['null and a value', { runs: null }, { runs: 1 }, 'limits.runs'],
])('names both plugins on %s', (_, one, other, path) => {
  expect(() => mergeCapabilities([from('a', 'limits', one), from('b', 'limits', other)])).toThrow(
    `Plugins "a" and "b" give the capability ${path} different values.`,
  );
});
