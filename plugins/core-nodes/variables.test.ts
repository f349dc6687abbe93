import { expect, it } from 'vitest';
import type { Invocation, NodeType } from '../../kernel/dispatch/types.ts';
import type { JsonObject } from '../../schemas/json.ts';
import { getVariable, setVariable } from './variables.ts';

const run = (type: NodeType, given: { inputs?: JsonObject; config?: JsonObject; variables?: JsonObject }) =>
  type.execute({ inputs: {}, config: {}, ...given } as Invocation, {
    signal: new AbortController().signal,
    log: () => undefined,
  });

it.each<[string, JsonObject, unknown, unknown]>([
  ['the input value', { value: 1, input: 2 }, 3, 1],
  ['what arrived over the edge', { input: 2 }, 3, 2],
  ['the configured value', {}, 3, 3],
  ['null over a configured value', { input: null }, 3, null],
  ['null when nothing is given', {}, undefined, null],
])('core.setVariable writes %s', (_, inputs, configured, expected) => {
  const config: JsonObject = {
    name: 'x',
    ...(configured === undefined ? {} : { value: configured as number }),
  };
  expect(run(setVariable, { inputs, config })).toMatchObject({
    variables: { x: expected },
    outputs: { output: expected },
  });
});

it('core.getVariable reads a null, falls back only when there is no value, and says when there is none', () => {
  const config = { name: 'x', defaultValue: 5 };
  expect(run(getVariable, { config, variables: { x: null } })).toMatchObject({ outputs: { output: null } });
  expect(run(getVariable, { config, variables: {} })).toMatchObject({ outputs: { output: 5 } });
  expect(run(getVariable, { config: { name: 'x' }, variables: {} })).toMatchObject({
    kind: 'failed',
    error: { code: 'validation_error', message: 'Variable "x" has no value.' },
  });
});
