import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { metadataProblem } from './run-options.ts';
import { problemsOf, validatorFor } from './validators.ts';

test.each([
  [{ recursionLimit: 0 }, '/recursionLimit', 'Must be at least 1, got 0.'],
  [{ recursionLimit: 2.5 }, '/recursionLimit', 'Must be an integer, got 2.5.'],
  [{ temperature: 3 }, '/temperature', 'Must be at most 2, got 3.'],
  [{ maxTokens: '9' }, '/maxTokens', 'Must be an integer, got a string.'],
  [{ promptOverrides: { a: 1 } }, '/promptOverrides/a', 'Must be a string, got a number.'],
  [
    { mockProvider: { id: 'x', delay: 1 } },
    '/mockProvider/delay',
    'Unknown property "delay". Allowed: id, config.',
  ],
  [{ 'ai.provider': '' }, '/ai.provider', 'Must not be empty.'],
  [{ ai: { model: 1 } }, '/ai/model', 'Must be a string, got a number.'],
  [{ escalationThreshold: -1 }, '/escalationThreshold', 'Must be at least 0, got -1.'],
])('configurable %j is refused', (configurable, path, message) => {
  expect(problemsOf(validatorFor('run-options'), { configurable })).toEqual([
    { path: `/configurable${path}`, message },
  ]);
});

/** `{"a":{"a":…}}` with the given number of objects. */
function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level++) value = { a: value };
  return value;
}

test('metadata may have four levels and 8192 bytes', () => {
  expect(metadataProblem(nested(4))).toBeNull();
  expect(metadataProblem(nested(5))).toBe('metadata is nested deeper than 4 levels');
  expect(metadataProblem(nested(100_000))).toBe('metadata is nested deeper than 4 levels');
  expect(metadataProblem({ a: 'x'.repeat(8184) })).toBeNull();
  expect(metadataProblem({ a: 'x'.repeat(8185) })).toBe('metadata takes 8193 bytes, the limit is 8192');
  expect(metadataProblem({ a: 'é'.repeat(5000) })).toBe('metadata takes 10008 bytes, the limit is 8192');
});
