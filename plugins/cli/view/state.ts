/** What a run looks like to someone watching it: a pure fold over its events. */
import type { JsonObject } from '../../../schemas/json.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';

export type NodeState =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'cancelled';

export interface NodeView {
  readonly nodeId: string;
  readonly name: string;
  readonly typeId: string;
  readonly state: NodeState;
  /** Executions begun so far; loops execute a node several times. */
  readonly executions: number;
  /** 1-based attempt within the current execution. */
  readonly attempt: number;
  /** Epoch ms. `since` is the first attempt of the current execution. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** How long a delay waits, in ms, when its definition says so. */
  readonly plannedMs: number | undefined;
  /** Why: error of the last attempt, reason of a skip. */
  readonly note: string | undefined;
}

export interface RunView {
  readonly runId: string;
  readonly workflowId: string;
  readonly title: string;
  readonly status: 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Definition order first, then order of appearance. */
  readonly nodes: readonly NodeView[];
  /** How often another process took the run over. */
  readonly recoveries: number;
  readonly outputs: JsonObject | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Sequence the next event must have. */
  readonly nextSequence: number;
}

/** The view before any event. With a definition, nodes that have not started are shown too. */
export function emptyView(runId: string, workflowId: string, definition?: WorkflowDefinition): RunView {
  return {
    runId,
    workflowId,
    title: definition?.name ?? workflowId,
    status: 'pending',
    startedAt: undefined,
    endedAt: undefined,
    nodes: (definition?.nodes ?? []).map((node) => ({
      ...newNode(node.id),
      name: node.name,
      typeId: node.typeId,
      plannedMs: plannedDelay(node),
    })),
    recoveries: 0,
    outputs: undefined,
    error: undefined,
    nextSequence: 0,
  };
}

/** The view after `event`. Unknown types and fields change nothing but the sequence (run events §4.3). */
export function fold(view: RunView, event: RunEventDoc): RunView {
  const next = { ...view, nextSequence: event.sequence + 1 };
  const payload = asObject(event.payload);
  const at = Date.parse(event.timestamp);
  const nodeId = event.nodeId ?? text(payload.nodeId);
  if (nodeId !== undefined && event.type.startsWith('node.')) {
    return {
      ...next,
      nodes: updateNode(view.nodes, nodeId, (node) => foldNode(node, event.type, payload, at)),
    };
  }
  switch (event.type) {
    case 'run.started':
      return { ...next, status: 'running', startedAt: at };
    case 'run.paused':
      return { ...next, status: 'paused' };
    case 'run.resumed':
      // Also written after `:resume`; only without a pause before it did another process recover the run.
      return { ...next, status: 'running', recoveries: view.recoveries + (view.status === 'paused' ? 0 : 1) };
    case 'run.completed':
      return { ...next, status: 'completed', endedAt: at, outputs: asObject(payload.outputs) };
    case 'run.failed':
      return { ...next, status: 'failed', endedAt: at, error: asError(payload.error) };
    case 'run.cancelled':
      return { ...next, status: 'cancelled', endedAt: at };
    default:
      return next;
  }
}

function foldNode(node: NodeView, type: string, payload: JsonObject, at: number): NodeView {
  switch (type) {
    case 'node.started': {
      const attempt = typeof payload.attempt === 'number' ? payload.attempt : 0;
      const typeId = text(payload.typeId) ?? node.typeId;
      return {
        ...node,
        typeId,
        state: typeId === 'core.delay' ? 'waiting' : 'running',
        executions: attempt === 0 ? node.executions + 1 : node.executions,
        attempt: attempt + 1,
        since: attempt === 0 ? at : (node.since ?? at),
        until: undefined,
        note: attempt === 0 ? undefined : node.note,
      };
    }
    case 'node.retried':
      return { ...node, state: 'retrying', note: asError(payload.lastError)?.message };
    case 'node.suspended':
      return { ...node, state: 'waiting', note: text(payload.reason) ?? text(payload.kind) };
    case 'node.resumed':
      return { ...node, state: 'running', note: undefined };
    case 'node.completed':
      return { ...node, state: 'completed', until: at };
    case 'node.failed':
      return { ...node, state: 'failed', until: at, note: asError(payload.error)?.message };
    case 'node.skipped':
      return { ...node, state: 'skipped', until: at, note: text(payload.reason) };
    case 'node.cancelled':
      return { ...node, state: 'cancelled', until: at, note: text(payload.reason) };
    default:
      return node;
  }
}

function updateNode(
  nodes: readonly NodeView[],
  nodeId: string,
  change: (node: NodeView) => NodeView,
): NodeView[] {
  const known = nodes.some((node) => node.nodeId === nodeId);
  return (known ? nodes : [...nodes, newNode(nodeId)]).map((node) =>
    node.nodeId === nodeId ? change(node) : node,
  );
}

function newNode(nodeId: string): NodeView {
  return {
    nodeId,
    name: nodeId,
    typeId: '',
    state: 'pending',
    executions: 0,
    attempt: 0,
    since: undefined,
    until: undefined,
    plannedMs: undefined,
    note: undefined,
  };
}

function plannedDelay({ config, inputs }: WorkflowDefinition['nodes'][number]): number | undefined {
  const { delayMs } = inputs;
  const planned =
    delayMs?.type === 'static'
      ? delayMs.value
      : delayMs === undefined
        ? (config.delayMs ?? config.ms)
        : undefined;
  return typeof planned === 'number' ? planned : undefined;
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function asError(value: unknown): { code: string; message: string } | undefined {
  const { code, message } = asObject(value);
  return typeof message === 'string' ? { code: text(code) ?? 'error', message } : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
