import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { closed } from './build.ts';
import { checkEvent, compileSchema, problemsOf, validatorFor } from './validators.ts';

test('one schema object has one validator per mode', () => {
  const schema = closed({ a: Type.String() });
  expect(compileSchema(schema)).toBe(compileSchema(schema));
  expect(compileSchema(schema)).not.toBe(compileSchema(schema, { allErrors: true }));
  expect(validatorFor('agent-ref')).toBe(validatorFor('agent-ref'));
});

test('nothing is compiled before the first call', () => {
  const broken = Type.Unsafe<string>({ type: 'no such type' });
  const validate = compileSchema(broken);
  expect(validate.errors).toEqual([]);
  expect(() => validate('x')).toThrow();
});

test('errors belong to the latest call', () => {
  const validate = compileSchema(closed({ a: Type.String() }));
  expect(validate({})).toBe(false);
  expect(validate.errors).toHaveLength(1);
  expect(validate({ a: '' })).toBe(true);
  expect(validate.errors).toEqual([]);
});

test('the first error ends a check unless all are asked for', () => {
  const schema = closed({ a: Type.String(), b: Type.String() });
  expect(problemsOf(compileSchema(schema), {})).toHaveLength(1);
  expect(problemsOf(compileSchema(schema, { allErrors: true }), {})).toHaveLength(2);
});

test('an event without payload or with an unknown type fails as an envelope', () => {
  const event = {
    eventId: 'e',
    runId: 'r',
    type: 'run.resumed',
    timestamp: '2026-01-01T00:00:00Z',
    sequence: 0,
  };
  expect(checkEvent(event)).toEqual([{ path: '/payload', message: 'Missing required property "payload".' }]);
  expect(checkEvent({ ...event, type: 'run.replay.started', payload: {} })?.[0]?.path).toBe('/type');
  expect(checkEvent({ ...event, payload: null })).toEqual([
    { path: '/payload', message: 'Must be an object, got null.' },
  ]);
});
