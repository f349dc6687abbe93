/**
 * `fold`: the state of a run after one more event. Pure and deterministic: no clock, no randomness, no I/O. Events of unknown types
 * and unknown payload fields are ignored (run events §4.3).
 */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { RunError } from '../log/types.ts';
import { carriedValue, resolveInputs, scopeOf } from './inputs.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';
import { type EdgeStatus, type EngineState, isLive, type NodeState, nodeState } from './state.ts';

/** The part of an event that counts for the state; `payload` is the unmasked one. */
export interface FoldedEvent {
  readonly type: string;
  readonly payload: JsonValue;
  readonly nodeId?: string | undefined;
  readonly sequence: number;
  /** Epoch ms. */
  readonly at: number;
}

/** Folds one event into a new state; the given one stays as it is. */
export function fold(plan: Plan, state: EngineState, event: FoldedEvent): EngineState {
  return foldAll(plan, state, [event]);
}

/** Folds many events with one copy, so that the cost is linear in the number of events. */
export function foldAll(plan: Plan, state: EngineState, events: readonly FoldedEvent[]): EngineState {
  const draft = draftOf(state);
  for (const event of events) foldInto(plan, draft, event);
  return draft;
}

/** A copy to fold into: what the two share is replaced when it changes, never written to. */
export function draftOf(state: EngineState): EngineState {
  return {
    ...state,
    variables: { ...state.variables },
    nodes: { ...state.nodes },
    edges: { ...state.edges },
    queue: [...state.queue],
    reenter: [...state.reenter],
  };
}

/** Folds one event into a draft nobody else holds. */
export function foldInto(plan: Plan, draft: EngineState, event: FoldedEvent): void {
  apply(plan, draft, event);
  draft.sequence = event.sequence + 1;
  draft.lastEventAt = event.at;
}

function apply(plan: Plan, draft: EngineState, event: FoldedEvent): void {
  const payload = asObject(event.payload);
  switch (event.type) {
    case 'run.started':
      draft.status = 'running';
      draft.startedAt = event.at;
      return;
    case 'run.completed':
      draft.outputs = asObject(payload.outputs);
      return finish(draft, 'completed', event.at);
    case 'run.failed':
      draft.error = asError(payload.error);
      return finish(draft, 'failed', event.at);
    case 'run.cancelled':
      return finish(draft, 'cancelled', event.at);
    case 'cap.breached':
      draft.failure ??= capFailure(payload, event.nodeId);
      return;
    case 'variable.changed':
      if (typeof payload.name === 'string') draft.variables[payload.name] = payload.next ?? null;
      return;
  }
  const node = plan.nodes.get(event.nodeId ?? '');
  if (!node) return;
  switch (event.type) {
    case 'node.started':
      return startNode(
        plan,
        draft,
        node,
        typeof payload.attempt === 'number' ? payload.attempt : 0,
        event.at,
      );
    case 'node.completed':
      update(draft, node.id, { status: 'completed', endedAt: event.at, outputs: asObject(payload.outputs) });
      return resolveOutgoing(plan, draft, node);
    case 'node.failed':
      decided(draft, node.id);
      update(draft, node.id, { status: 'failed', endedAt: event.at, error: asError(payload.error) });
      return resolveOutgoing(plan, draft, node);
    case 'node.retried':
      update(draft, node.id, {
        status: 'retrying',
        attempt:
          typeof payload.attempt === 'number' ? payload.attempt : nodeState(draft, node.id).attempt + 1,
        retryAt: event.at + (typeof payload.delayMs === 'number' ? payload.delayMs : 0),
      });
      return;
    case 'node.skipped':
      decided(draft, node.id);
      update(draft, node.id, { status: 'skipped', endedAt: event.at });
      return resolveOutgoing(plan, draft, node);
    case 'node.cancelled':
      return update(draft, node.id, { status: 'cancelled', endedAt: event.at });
  }
}

/** Skipped, or failed before it could start: no longer to be decided. A running node may be queued for its next execution. */
function decided(draft: EngineState, nodeId: string): void {
  if (isLive(nodeState(draft, nodeId).status)) return;
  draft.queue = draft.queue.filter((id) => id !== nodeId);
  draft.reenter = draft.reenter.filter((id) => id !== nodeId);
}

function finish(draft: EngineState, status: 'completed' | 'failed' | 'cancelled', at: number): void {
  draft.status = status;
  draft.completedAt = at;
  draft.queue = [];
  draft.reenter = [];
}

function startNode(plan: Plan, draft: EngineState, node: PlanNode, attempt: number, at: number): void {
  draft.starts += 1;
  const before = nodeState(draft, node.id);
  if (attempt > 0) return update(draft, node.id, { status: 'running', attempt, startedAt: at });

  const again = draft.reenter.includes(node.id);
  if (again) resetLoop(plan, draft, node);
  draft.queue = draft.queue.filter((id) => id !== node.id);
  const { endedAt: _ended, error: _error, retryAt: _retryAt, ...kept } = before;
  const state: NodeState = {
    ...kept,
    status: 'running',
    executions: before.executions + 1,
    attempt: 0,
    iteration: again ? before.iteration + 1 : 0,
    startedAt: at,
  };
  const resolved = resolveInputs(plan, draft, node);
  if ('inputs' in resolved) state.inputs = resolved.inputs;
  else {
    state.status = 'broken';
    state.error = resolved.error;
  }
  if (node.type?.joins) {
    state.sources = node.incoming
      .filter((edge) => edge.kind === 'explicit')
      .map((edge) => {
        const taken = draft.edges[edge.id] === 'taken';
        const value = taken ? carriedValue(draft.nodes[edge.source], edge) : undefined;
        return { nodeId: edge.source, edgeId: edge.id, taken, ...(value === undefined ? {} : { value }) };
      });
  }
  for (const edge of node.incoming) if (draft.edges[edge.id] === 'pending') draft.edges[edge.id] = 'late';
  for (const edge of node.outgoing)
    if (again || draft.edges[edge.id] !== 'late') draft.edges[edge.id] = 'pending';
  draft.nodes[node.id] = state;
}

/** Another pass of a loop: its nodes are undecided again. Their outputs stay readable until they are replaced. */
function resetLoop(plan: Plan, draft: EngineState, header: PlanNode): void {
  draft.reenter = draft.reenter.filter((id) => id !== header.id);
  for (const id of header.loopBody ?? []) {
    const member = plan.nodes.get(id);
    if (!member || id === header.id) continue;
    update(draft, id, { status: 'idle', iteration: 0 });
    draft.queue = draft.queue.filter((queued) => queued !== id);
    for (const edge of member.outgoing) draft.edges[edge.id] = 'pending';
  }
}

/** Decides every outgoing edge of a node that just became terminal, and what its failure means for the run. */
function resolveOutgoing(plan: Plan, draft: EngineState, node: PlanNode): void {
  const state = nodeState(draft, node.id);
  let handled = state.status !== 'failed';
  for (const edge of node.outgoing) {
    const status = edgeStatus(plan, draft, node, state, edge);
    if (status === 'failed' && (edge.rule === 'any_failed' || edge.rule === 'all_complete')) handled = true;
    if (edge.back) {
      if (status === 'taken' && !draft.reenter.includes(edge.target)) draft.reenter.push(edge.target);
      continue;
    }
    const late = draft.edges[edge.id] === 'late';
    draft.edges[edge.id] = status;
    const executed =
      nodeState(draft, edge.target).executions > 0 && nodeState(draft, edge.target).status !== 'idle';
    // A node that already ran in this pass runs again only when something reaches it anew.
    if (late || (executed && status === 'skipped') || draft.queue.includes(edge.target)) continue;
    draft.queue.push(edge.target);
  }
  if (!handled && state.error) draft.failure ??= { nodeId: node.id, error: state.error };
}

function edgeStatus(
  plan: Plan,
  draft: EngineState,
  node: PlanNode,
  state: NodeState,
  edge: PlanEdge,
): EdgeStatus {
  if (state.status === 'skipped') return 'skipped';
  if (
    state.status === 'completed' &&
    node.type?.routes &&
    edge.namesPort &&
    !Object.hasOwn(state.outputs ?? {}, edge.sourceOutput)
  )
    return 'skipped';
  if (edge.condition) {
    try {
      const output = carriedValue(state, edge) ?? state.outputs ?? null;
      const error = state.error ? { ...state.error } : null;
      if (!edge.condition({ ...scopeOf(plan, draft), output, status: state.status, error })) return 'skipped';
    } catch (cause) {
      draft.failure ??= {
        error: {
          code: 'validation_error',
          message: `Condition of edge "${edge.id}": ${cause instanceof Error ? cause.message : String(cause)}`,
          details: { edgeId: edge.id },
        },
      };
      return 'skipped';
    }
  }
  return state.status === 'failed' ? 'failed' : 'taken';
}

/** Breaching a cap ends the run (run events §7). */
function capFailure(payload: JsonObject, nodeId: string | undefined): EngineState['failure'] {
  const { kind, limit, observed } = payload;
  const nodeCap = kind === 'node-executions';
  return {
    ...(nodeId === undefined ? {} : { nodeId }),
    error: {
      code: nodeCap ? 'recursion_limit_exceeded' : 'cap_breached',
      message: nodeCap
        ? `The run may start ${limit} nodes at most (recursionLimit).`
        : `The cap "${kind}" of ${limit} was exceeded (${observed}).`,
      details: { kind: kind ?? null, limit: limit ?? null, observed: observed ?? null },
    },
  };
}

function update(draft: EngineState, nodeId: string, change: Partial<NodeState>): void {
  draft.nodes[nodeId] = { ...nodeState(draft, nodeId), ...change };
}

function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function asError(value: JsonValue | undefined): RunError {
  const { code, message, details } = asObject(value);
  return {
    code: typeof code === 'string' ? code : 'internal_error',
    message: typeof message === 'string' ? message : 'unknown error',
    ...(details === undefined ? {} : { details: asObject(details) }),
  };
}
