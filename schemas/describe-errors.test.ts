import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { closed, oneOf } from './build.ts';
import { nearest } from './nearest.ts';
import { compileSchema, problemsOf } from './validators.ts';

test('keys are escaped as JSON pointers', () => {
  const problems = problemsOf(compileSchema(closed({})), { 'a/b~c': 1 });
  expect(problems).toEqual([
    { path: '/a~1b~0c', message: 'Unknown property "a/b~c": nothing is allowed here.' },
  ]);
});

test('a long value is not repeated: it may be a secret', () => {
  const secret = 's'.repeat(100);
  const problems = problemsOf(compileSchema(closed({ mode: oneOf(['a', 'b']) })), { mode: secret });
  expect(problems).toEqual([{ path: '/mode', message: 'Must be one of "a", "b", got a string.' }]);
});

test('the number of problems is bounded', () => {
  const validate = compileSchema(Type.Array(Type.String()), { allErrors: true });
  expect(problemsOf(validate, Array(1000).fill(1))).toHaveLength(20);
});

test.each([
  ['typeID', ['type', 'typeId'], 'typeId'],
  ['nodes', ['edges', 'node'], 'node'],
  ['zzz', ['abc', 'def'], null],
  ['a', ['b'], 'b'],
  ['x'.repeat(10_000), ['name'], null],
  ['any', [], null],
])('nearest to %.20s among %j', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
