// Workflows for tests that interrupt runs: each exercises another way of being in the middle of something.

type NodeSpec = readonly [id: string, typeId: string, config?: object, inputs?: object, settings?: object];
type EdgeSpec = readonly [source: string, target: string, extra?: object];

/** A complete definition from the parts that matter. */
export function workflow(
  id: string,
  nodes: readonly NodeSpec[],
  edges: readonly EdgeSpec[],
  extra: object = {},
) {
  return {
    id,
    name: id,
    version: '1.0',
    nodes: nodes.map(([nodeId, typeId, config = {}, inputs = {}, settings = {}], x) => ({
      id: nodeId,
      typeId,
      name: nodeId,
      position: { x, y: 0 },
      config,
      inputs,
      settings,
    })),
    edges: edges.map(([sourceNodeId, targetNodeId, more = {}], index) => ({
      id: `e${index}`,
      sourceNodeId,
      targetNodeId,
      ...more,
    })),
    triggers: [{ id: 'manual', type: 'manual' }],
    variables: [],
    metadata: {},
    settings: {},
    ...extra,
  };
}

export const noop = workflow('noop', [['only', 'core.noop']], []);

/** Parks on a durable timer between two nodes. */
export const delayed = workflow(
  'delayed',
  [
    ['first', 'core.noop'],
    ['wait', 'core.delay', { delayMs: 60 }],
    ['last', 'core.noop'],
  ],
  [
    ['first', 'wait'],
    ['wait', 'last'],
  ],
);

/** Fails once and waits before it tries again. */
export const retried = workflow(
  'retried',
  [
    ['shaky', 'core.fail', { retryable: true, times: 1 }, {}, { retryDelayMs: 40 }],
    ['last', 'core.noop'],
  ],
  [['shaky', 'last']],
  { settings: { maxRetries: 2 } },
);

/** Two branches at different speeds, one not taken, and a merge of what arrives. */
export const branching = workflow(
  'branching',
  [
    ['fork', 'core.parallel'],
    ['slow', 'core.delay', { delayMs: 40 }],
    ['quick', 'core.identity', {}, { value: { type: 'static', value: 7 } }],
    ['never', 'core.noop'],
    ['join', 'core.merge'],
    ['set', 'core.setVariable', { name: 'seen' }],
    ['end', 'core.end', {}, { seen: { type: 'variable', variableName: 'seen' } }],
  ],
  [
    ['fork', 'slow'],
    ['fork', 'quick'],
    ['fork', 'never', { condition: { type: 'equals', left: 'workflowId', right: 'no-such-value' } }],
    ['slow', 'join', { triggerRule: 'none_failed' }],
    ['quick', 'join', { triggerRule: 'none_failed' }],
    ['never', 'join', { triggerRule: 'none_failed' }],
    ['join', 'set'],
    ['set', 'end'],
  ],
  { variables: [{ name: 'seen', type: 'object', defaultValue: {} }] },
);

/** Executes the same node several times. */
export const looping = workflow(
  'looping',
  [
    ['loop', 'core.loop', { count: 3 }],
    ['body', 'core.noop'],
    ['end', 'core.end'],
  ],
  [
    ['loop', 'body', { sourceOutput: 'body' }],
    ['body', 'loop'],
    ['loop', 'end', { sourceOutput: 'done' }],
  ],
);

/** Ends failed. */
export const failing = workflow('failing', [['bad', 'core.fail', { code: 'planned' }]], []);
