import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import { maskOutputs, maskPayload, maskVariables } from './masking.ts';
import { compilePlan } from './plan.ts';

const MODES = ['mask', 'omit', 'hash', 'passthrough'] as const;
type Mode = (typeof MODES)[number];

function planWith(mode: Mode | undefined) {
  const definition: WorkflowDefinition = {
    id: 'w',
    name: 'W',
    version: '1',
    nodes: [
      {
        id: 'n',
        typeId: 'core.end',
        name: 'N',
        position: { x: 0, y: 0 },
        config: {},
        inputs: {},
        outputSensitivity: { token: true, note: false },
      },
    ],
    edges: [],
    triggers: [],
    variables: [
      { name: 'password', type: 'string', sensitive: true },
      { name: 'user', type: 'string' },
    ],
    metadata: mode === undefined ? {} : { complianceConfig: { maskingMode: mode } },
    settings: {},
  };
  return compilePlan(definition, { nodeType: () => undefined, capabilities: new Set() });
}

const hashed = `sha256:${createHash('sha256').update('"s3cret"').digest('hex')}`;
/** What each mode makes of `{ <name>: 's3cret' }`. */
const shown = (mode: Mode, name: string) =>
  ({ mask: { [name]: '[REDACTED]' }, omit: {}, hash: { [name]: hashed }, passthrough: { [name]: 's3cret' } })[
    mode
  ];

describe.each(MODES)('masking mode %s', (mode) => {
  const plan = planWith(mode);

  it('applies to variables of the snapshot, by name', () => {
    expect(maskVariables(plan, { password: 's3cret', user: 'ann' })).toEqual({
      ...shown(mode, 'password'),
      user: 'ann',
    });
  });

  it('applies to the inputs in run.started', () => {
    const payload = { workflowId: 'w', inputs: { password: 's3cret', user: 'ann' } };
    expect(maskPayload(plan, { type: 'run.started', payload })).toEqual({
      workflowId: 'w',
      inputs: { ...shown(mode, 'password'), user: 'ann' },
    });
  });

  it('applies to both values of variable.changed', () => {
    const payload = { name: 'password', previous: 's3cret', next: 's3cret' };
    expect(maskPayload(plan, { type: 'variable.changed', nodeId: 'n', payload })).toEqual({
      name: 'password',
      ...shown(mode, 'previous'),
      ...shown(mode, 'next'),
    });
  });

  it('applies to marked outputs of a node, and of the run', () => {
    const outputs = { token: 's3cret', note: 'open' };
    const masked = { ...shown(mode, 'token'), note: 'open' };
    expect(maskOutputs(plan, 'n', outputs)).toEqual(masked);
    const completed = { type: 'node.completed', nodeId: 'n', payload: { nodeId: 'n', outputs } };
    expect(maskPayload(plan, completed)).toEqual({ nodeId: 'n', outputs: masked });
    expect(maskPayload(plan, { type: 'run.completed', payload: { outputs } })).toEqual({ outputs: masked });
  });
});

describe('masking', () => {
  it('is by "[REDACTED]" when the workflow says nothing', () => {
    expect(maskVariables(planWith(undefined), { password: 'x' })).toEqual({ password: '[REDACTED]' });
  });

  it('gives back the same payload when nothing in it is sensitive', () => {
    const payload = { name: 'user', next: 'ann' };
    expect(maskPayload(planWith('mask'), { type: 'variable.changed', payload })).toBe(payload);
  });
});
