/** Variables: setVariable, getVariable. */
import type { NodeType } from '../../kernel/dispatch/types.ts';
import { completed, invalid } from './outcomes.ts';

export const setVariable: NodeType = {
  typeId: 'core.setVariable',
  description:
    'Writes variable `name` (config): input `value`, else what arrived over the edge, else config `value`.',
  inline: true,
  configSchema: {
    type: 'object',
    required: ['name'],
    // As a key, this name would set a prototype.
    properties: { name: { type: 'string', minLength: 1, not: { const: '__proto__' } }, value: {} },
  },
  execute: ({ inputs, config }) => {
    if (typeof config.name !== 'string') return invalid('core.setVariable needs config.name.');
    // The first that is given counts, even if it is null.
    const value = [inputs.value, inputs.input, config.value].find((given) => given !== undefined) ?? null;
    return { kind: 'completed', outputs: { output: value }, variables: { [config.name]: value } };
  },
};

export const getVariable: NodeType = {
  typeId: 'core.getVariable',
  description: 'Outputs variable `name` (config), or config `defaultValue` when it has no value.',
  inline: true,
  variables: true,
  configSchema: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', minLength: 1 }, defaultValue: {} },
  },
  execute: ({ config, variables = {} }) => {
    if (typeof config.name !== 'string') return invalid('core.getVariable needs config.name.');
    const value = Object.hasOwn(variables, config.name) ? variables[config.name] : config.defaultValue;
    if (value === undefined) return invalid(`Variable "${config.name}" has no value.`);
    return completed({ output: value });
  },
};
