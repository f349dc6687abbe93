/** The state of a run as the fold of its log. Plain JSON, so that it can be stored as a checkpoint. */
import type { JsonObject } from '../../schemas/json.ts';
import type { RunStatus } from '../../schemas/run-snapshot.ts';
import type { UpstreamResult } from '../dispatch/types.ts';
import type { RunError, RunHeader } from '../log/types.ts';
import type { Plan } from './plan.ts';

/**
 * `idle`: not decided in the current pass. `broken`: started, but an input could not be resolved; fails at the next step.
 * `retrying`: waits for `retryAt`.
 */
export type NodeStatus =
  | 'idle'
  | 'running'
  | 'broken'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'cancelled';

export interface NodeState {
  status: NodeStatus;
  /** How often the node was executed; the current execution is `executions - 1`. */
  executions: number;
  /** Zero-based attempt of the current execution. */
  attempt: number;
  /** Passes of the loop since the node was entered from outside. */
  iteration: number;
  /** Epoch ms of the `node.started` of the current attempt. */
  startedAt?: number;
  endedAt?: number;
  /** Resolved at the start of the execution and kept, so that recovery and retries see the same values. */
  inputs?: JsonObject;
  sources?: UpstreamResult[];
  outputs?: JsonObject;
  error?: RunError;
  retryAt?: number;
}

/**
 * `late`: its target started without waiting for it (`any_*` rules); resolving it does not start the target again.
 */
export type EdgeStatus = 'pending' | 'late' | 'taken' | 'skipped' | 'failed';

export interface EngineState {
  status: RunStatus;
  /** Sequence of the next event. */
  sequence: number;
  /** Epoch ms of the last event, whatever its type; 0 before the first. */
  lastEventAt: number;
  inputs: JsonObject;
  variables: JsonObject;
  nodes: Record<string, NodeState>;
  edges: Record<string, EdgeStatus>;
  /** Nodes to decide, in the order their edges resolved. */
  queue: string[];
  /** Loop headers whose back edge was taken. */
  reenter: string[];
  /** Node starts so far; bounded by the node-execution cap. */
  starts: number;
  startedAt?: number;
  completedAt?: number;
  /** First failure no edge handles. */
  failure?: { nodeId?: string; error: RunError } | undefined;
  error?: RunError;
  outputs?: JsonObject;
}

/** The state before the first event: variables filled from defaults and inputs, entries queued. */
export function initialState(plan: Plan, header: Pick<RunHeader, 'inputs'>): EngineState {
  const variables: JsonObject = {};
  for (const variable of plan.definition.variables)
    if (variable.defaultValue !== undefined) variables[variable.name] = variable.defaultValue;
  const edges: Record<string, EdgeStatus> = {};
  for (const id of plan.edges.keys()) edges[id] = 'pending';
  for (const id of plan.deadEdges) edges[id] = 'skipped';
  const nodes: Record<string, NodeState> = {};
  for (const id of plan.nodes.keys()) nodes[id] = { status: 'idle', executions: 0, attempt: 0, iteration: 0 };
  return {
    status: 'pending',
    sequence: 0,
    lastEventAt: 0,
    inputs: header.inputs,
    variables: { ...variables, ...header.inputs },
    nodes,
    edges,
    queue: [...plan.entries],
    reenter: [],
    starts: 0,
  };
}

/** State of a node that is known to be in the plan. */
export function nodeState(state: EngineState, nodeId: string): NodeState {
  const node = state.nodes[nodeId];
  if (!node) throw new Error(`node "${nodeId}" is not part of the workflow`);
  return node;
}

export function isLive(status: NodeStatus): boolean {
  return status === 'running' || status === 'broken' || status === 'retrying';
}
