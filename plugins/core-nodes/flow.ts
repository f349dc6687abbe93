/** Flow: conditional, loop, parallel, merge. Routing itself is done by edges; these nodes choose ports and combine values. */
import type { Invocation, NodeType } from '../../kernel/dispatch/types.ts';
import { type Condition, compileCondition } from '../../kernel/engine/conditions.ts';
import type { Scope } from '../../kernel/engine/expressions.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { EdgeCondition } from '../../schemas/workflow-graph.ts';
import { completed, invalid, passThrough } from './outcomes.ts';

export const conditional: NodeType = {
  typeId: 'core.conditional',
  description:
    'Emits port `true` or `false`; edges name the port in sourceOutput. Config `condition` as on edges, or a boolean input `condition`.',
  inline: true,
  routes: true,
  variables: true,
  configSchema: { type: 'object', properties: { condition: EdgeCondition as unknown as JsonObject } },
  execute: (invocation) => {
    const { inputs, config } = invocation;
    let result: boolean;
    if (config.condition !== undefined) {
      try {
        result = compiled(config)(scopeOf(invocation));
      } catch (error) {
        return invalid(error instanceof Error ? error.message : String(error));
      }
    } else if (typeof inputs.condition === 'boolean') result = inputs.condition;
    else return invalid('core.conditional needs config.condition or a boolean input "condition".');
    return completed({ result, [String(result)]: inputs.input ?? result });
  },
};

/** One pass per execution: the body leads back to this node by an edge. */
export const loop: NodeType = {
  typeId: 'core.loop',
  description:
    'Emits port `body` ({index, item}) once per item of input or config `items`, or `count` times, then port `done`. Bounded by config `maxIterations` (default 1000).',
  inline: true,
  routes: true,
  loops: true,
  configSchema: {
    type: 'object',
    properties: {
      items: { type: 'array' },
      count: { type: 'integer', minimum: 0 },
      maxIterations: { type: 'integer', minimum: 1 },
    },
  },
  execute: ({ inputs, config, iteration }) => {
    const items = inputs.items ?? config.items;
    if (items !== undefined && !Array.isArray(items)) return invalid('items must be a list.');
    const count = items?.length ?? inputs.count ?? config.count;
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0)
      return invalid('core.loop needs a list "items" or a whole number "count".');
    if (iteration >= count) return completed({ done: { iterations: count } });
    return completed({
      body: { index: iteration, ...(items === undefined ? {} : { item: items[iteration] ?? null }) },
    });
  },
};

export const parallel: NodeType = {
  typeId: 'core.parallel',
  description: 'Passes its inputs to every branch that leaves it; branches run side by side.',
  inline: true,
  execute: ({ inputs }) => completed(passThrough(inputs)),
};

const MERGE_MODES = ['object', 'array', 'first', 'shallow'] as const;

export const merge: NodeType = {
  typeId: 'core.merge',
  description:
    'Combines what its incoming edges carry. Config `mode`: object (by source node, default), array (definition order), first (first taken edge), shallow (objects merged, later edges win).',
  inline: true,
  joins: true,
  configSchema: { type: 'object', properties: { mode: { enum: [...MERGE_MODES] } } },
  execute: ({ config, sources = [] }) => {
    const arrived = sources.filter((source) => source.taken);
    switch (config.mode ?? 'object') {
      case 'array':
        return completed({ output: arrived.map((source) => source.value ?? null) });
      case 'first':
        return completed({ output: arrived[0]?.value ?? null });
      case 'shallow':
        return completed({ output: Object.assign({}, ...arrived.map((source) => asObject(source.value))) });
      default:
        return completed({
          output: Object.fromEntries(arrived.map((source) => [source.nodeId, source.value ?? null])),
        });
    }
  },
};

/** Conditions are compiled once per configuration object, which lives as long as the workflow is cached. */
const conditions = new WeakMap<JsonObject, Condition>();

function compiled(config: JsonObject): Condition {
  let condition = conditions.get(config);
  if (!condition) {
    condition = compileCondition(config.condition as EdgeCondition);
    conditions.set(config, condition);
  }
  return condition;
}

function scopeOf({ inputs, variables = {}, workflowId, runId }: Invocation): Scope {
  return { inputs, variables, nodes: {}, run: { workflowId, runId }, output: inputs.input ?? inputs };
}

function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
