import { expect, test } from 'vitest';
import { workflow } from '../../test/faults/workflows.ts';
import type { NodeType } from '../dispatch/types.ts';
import { checkAdmission } from '../runs/admission.ts';
import type { StoredWorkflow } from '../runs/types.ts';
import { resolveInputs } from './inputs.ts';
import { compilePlan, type PlanEnvironment, planNode } from './plan.ts';
import { initialState } from './state.ts';
import { validateDefinition } from './validate.ts';

const noop: NodeType = {
  typeId: 'core.noop',
  description: 'Nothing.',
  execute: () => ({ kind: 'completed', outputs: {} }),
};
const environment: PlanEnvironment = { nodeType: () => noop, capabilities: new Set() };

test('an id or name that would set a prototype is refused at registration', () => {
  const definition = {
    ...workflow(
      'w',
      [
        ['a', 'core.noop'],
        ['__proto__', 'core.noop'],
      ],
      [],
    ),
    edges: [{ id: '__proto__', sourceNodeId: 'a', targetNodeId: '__proto__' }],
    variables: [{ name: '__proto__', type: 'string' }],
  };
  expect(validateDefinition(definition, environment).errors.map(({ path }) => path)).toEqual([
    '/nodes/1/id',
    '/edges/0/id',
    '/variables/0/name',
  ]);
});

test('a variable may be called what every object inherits, and has no value before it is given one', () => {
  const reads = { type: 'variable', variableName: 'constructor' };
  const definition = workflow('w', [['a', 'core.noop', {}, { value: reads }]], [], {
    variables: [{ name: 'constructor', type: 'number' }],
  });
  expect(validateDefinition(definition, environment).errors).toEqual([]);
  const plan = compilePlan(definition as never, environment);
  const stored = { definition: plan.definition } as StoredWorkflow;
  expect(() => checkAdmission(stored, {}, {})).not.toThrow();
  expect(() => checkAdmission(stored, { constructor: 'one' } as never, {})).toThrow('must be of type number');
  expect(resolveInputs(plan, initialState(plan, { inputs: {} }), planNode(plan, 'a'))).toMatchObject({
    error: { message: expect.stringContaining('"constructor" has no value') },
  });
});
