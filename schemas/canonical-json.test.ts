import { expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

it('does not depend on the order of members, at any depth, but on that of list items', () => {
  const text = '{"a":[{"x":null,"y":"é"},2],"b":true}';
  expect(canonicalJson({ b: true, a: [{ y: 'é', x: null }, 2] })).toBe(text);
  expect(canonicalJson({ a: [{ x: null, y: 'é' }, 2], b: true })).toBe(text);
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});
