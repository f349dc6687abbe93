// Random workflow definitions: graphs with branches, joins of every rule, conditions, loops, retries, disabled nodes.
import fc from 'fast-check';
import type { PortValue } from '../../schemas/port-value.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import {
  EDGE_CONDITION_TYPES,
  TRIGGER_RULES,
  type WorkflowEdge,
  type WorkflowNode,
} from '../../schemas/workflow-graph.ts';

const TYPES = ['sim.step', 'sim.step', 'sim.route', 'sim.join'] as const;

interface NodeSeed {
  readonly type: (typeof TYPES)[number];
  readonly disabled: boolean;
  readonly retries: number;
  readonly reads: number | null;
}

interface EdgeSeed {
  readonly from: number;
  readonly to: number;
  readonly rule: (typeof TRIGGER_RULES)[number];
  readonly condition: (typeof EDGE_CONDITION_TYPES)[number] | null;
  readonly port: 'a' | 'b' | null;
}

const nodeSeed: fc.Arbitrary<NodeSeed> = fc.record({
  type: fc.constantFrom(...TYPES),
  disabled: fc.nat({ max: 9 }).map((value) => value === 0),
  retries: fc.nat({ max: 2 }),
  reads: fc.option(fc.nat({ max: 9 }), { freq: 4 }),
});

const edgeSeed: fc.Arbitrary<EdgeSeed> = fc.record({
  from: fc.nat({ max: 9 }),
  to: fc.nat({ max: 9 }),
  rule: fc.constantFrom(...TRIGGER_RULES),
  condition: fc.option(fc.constantFrom(...EDGE_CONDITION_TYPES), { freq: 2 }),
  port: fc.option(fc.constantFrom('a' as const, 'b' as const), { freq: 2 }),
});

/** Up to ten nodes; edges in any direction, so loops, self-loops and unreachable parts occur. */
export const randomWorkflow: fc.Arbitrary<WorkflowDefinition> = fc
  .record({
    nodes: fc.array(nodeSeed, { minLength: 1, maxLength: 10 }),
    edges: fc.array(edgeSeed, { maxLength: 16 }),
    timeout: fc.constantFrom(0, 0, 0, 700),
  })
  .map(({ nodes, edges, timeout }) => ({
    id: 'random',
    name: 'Random',
    version: '1',
    nodes: nodes.map((seed, index) => toNode(seed, index, nodes.length)),
    edges: edges.map((seed, index) => toEdge(seed, index, nodes)),
    triggers: [],
    variables: [],
    metadata: {},
    settings: { timeout },
  }));

function toNode(seed: NodeSeed, index: number, count: number): WorkflowNode {
  const reads: PortValue | undefined =
    seed.reads === null
      ? undefined
      : { type: 'connection', nodeId: `n${seed.reads % count}`, outputKey: 'output', optional: true };
  return {
    id: `n${index}`,
    typeId: seed.type,
    name: `N${index}`,
    position: { x: 0, y: 0 },
    config: {},
    inputs: reads === undefined ? {} : { read: reads },
    disabled: seed.disabled,
    settings: { maxRetries: seed.retries, retryDelayMs: 50 },
  };
}

function toEdge(seed: EdgeSeed, index: number, nodes: readonly NodeSeed[]): WorkflowEdge {
  const from = seed.from % nodes.length;
  const condition = seed.condition === null ? {} : { condition: CONDITIONS[seed.condition] };
  return {
    id: `e${index}`,
    sourceNodeId: `n${from}`,
    targetNodeId: `n${seed.to % nodes.length}`,
    triggerRule: seed.rule,
    ...(seed.port !== null && nodes[from]?.type === 'sim.route' ? { sourceOutput: seed.port } : {}),
    ...condition,
  };
}

const CONDITIONS = {
  expression: { type: 'expression', expression: 'status == "completed" && output != 3' },
  equals: { type: 'equals', left: 'status', right: 'completed' },
  notEquals: { type: 'notEquals', left: 'output.output', right: 1 },
  contains: { type: 'contains', left: 'status', right: 'comp' },
  regex: { type: 'regex', left: 'status', right: '^(completed|failed)$' },
} as const;
