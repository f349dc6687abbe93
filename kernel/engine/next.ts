/**
 * `next`: what has to happen now, given the state of a run. Pure. The driver appends the returned events, folds them and asks again
 * until there are none; then it executes the invocations and waits.
 */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { Invocation } from '../dispatch/types.ts';
import type { RunError, RunHeader } from '../log/types.ts';
import type { Plan, PlanEdge, PlanNode } from './plan.ts';
import { type EngineState, isLive, nodeState } from './state.ts';

/** An event to append; the driver adds ids, sequence and time, and masks sensitive values. */
export interface EventIntent {
  readonly type: string;
  readonly payload: JsonObject;
  readonly nodeId?: string;
}

export interface Step {
  /** Events to append and fold before asking again. */
  readonly events: readonly EventIntent[];
  /** Invocations that should be in flight; complete, so the driver ignores those it already started. */
  readonly invocations: readonly Invocation[];
  /** Epoch ms at which to ask again even if nothing happens. */
  readonly wakeAt?: number;
}

export interface RunFacts extends RunHeader {
  /** Effective node-execution cap: min(recursionLimit, host ceiling). */
  readonly maxNodeExecutions: number;
  readonly transport: string;
}

export function next(plan: Plan, state: EngineState, run: RunFacts, now: number): Step {
  if (state.status === 'completed' || state.status === 'failed' || state.status === 'cancelled')
    return only([]);
  if (state.status === 'pending') return only([runStarted(plan, run)]);
  if (state.failure) return only(failRun(state, state.failure.error, state.failure.nodeId));
  const deadline = runDeadline(plan, state);
  if (deadline !== undefined && now >= deadline)
    return only(
      failRun(state, {
        code: 'run_timeout',
        message: `The run took longer than ${plan.timeoutMs} ms (settings.timeout).`,
      }),
    );

  const events = decide(plan, state, run, now);
  if (events.length > 0) return only(events);

  const invocations: Invocation[] = [];
  let wakeAt = deadline;
  let live = false;
  for (const node of plan.nodes.values()) {
    const current = nodeState(state, node.id);
    live ||= isLive(current.status);
    if (current.status === 'running') invocations.push(invocation(node, state, run, now));
    if (current.status === 'retrying' && current.retryAt !== undefined)
      wakeAt = Math.min(wakeAt ?? Infinity, current.retryAt);
  }
  if (live) return { events: [], invocations, ...(wakeAt === undefined ? {} : { wakeAt }) };
  // Nothing runs any more, so no loop can still take the branches that were held back for it.
  const heldBack = decide(plan, state, run, now, true);
  if (heldBack.length > 0) return only(heldBack);
  return only([{ type: 'run.completed', payload: { outputs: runOutputs(plan, state) } }]);
}

/** Events that end the run on request; empty when it has already ended. */
export function cancelRun(state: EngineState, by: string, reason: string | undefined): EventIntent[] {
  if (state.completedAt !== undefined) return [];
  return [
    ...cancelNodes(state, 'run cancelled'),
    { type: 'run.cancelled', payload: { ...(reason === undefined ? {} : { reason }), cancelledBy: by } },
  ];
}

/** Ends the run: stops live nodes, then `run.failed` (run events §3.2). */
export function failRun(state: EngineState, error: RunError, failedNodeId?: string): EventIntent[] {
  return [
    ...cancelNodes(state, 'run failed'),
    {
      type: 'run.failed',
      payload: { error: errorPayload(error), ...(failedNodeId === undefined ? {} : { failedNodeId }) },
    },
  ];
}

export function errorPayload(error: RunError): JsonObject {
  return {
    code: error.code,
    message: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

function only(events: readonly EventIntent[]): Step {
  return { events, invocations: [] };
}

function runStarted(plan: Plan, run: RunFacts): EventIntent {
  const { tags, metadata } = run.options;
  return {
    type: 'run.started',
    payload: {
      workflowId: plan.definition.id,
      inputs: run.inputs,
      transport: run.transport,
      engineVersion: String(run.engineVersion),
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** Starts, skips and failures that are due now. One batch: the decisions do not depend on each other. */
function decide(
  plan: Plan,
  state: EngineState,
  run: RunFacts,
  now: number,
  loopsOver = false,
): EventIntent[] {
  const events: EventIntent[] = [];
  const starts: PlanNode[] = [];

  for (const id in state.nodes) {
    const current = nodeState(state, id);
    if (current.status === 'broken' && current.error) events.push(nodeFailed(id, current.error, 1));
    if (current.status === 'retrying' && current.retryAt !== undefined && now >= current.retryAt)
      events.push(...startEvents(planNode(plan, id), current.attempt, state, run, starts));
  }
  for (const id of state.reenter) {
    const header = planNode(plan, id);
    const current = nodeState(state, id);
    if (isLive(current.status) || loopBusy(state, header)) continue;
    if (current.iteration + 1 > header.loopLimit) return loopLimit(state, header, current.iteration + 1);
    // Alone: it resets the nodes of its loop, so nothing else may be decided by what they were.
    return [...events, ...startEvents(header, 0, state, run, starts)];
  }
  for (const id of state.queue) {
    const node = planNode(plan, id);
    const current = nodeState(state, id);
    // A loop header may be queued as well; one start serves both.
    if (isLive(current.status) || starts.includes(node)) continue;
    const verdict =
      plan.entries.includes(id) && current.executions === 0 && current.status === 'idle'
        ? 'start'
        : evaluate(plan, state, node, loopsOver);
    if (verdict === 'wait') continue;
    if (verdict === 'skip') events.push(skip(id, 'branch not taken'));
    else if (node.definition.disabled) events.push(skip(id, 'disabled'));
    else events.push(...startEvents(node, 0, state, run, starts));
  }
  return events;
}

/** Cap, node type and capabilities are checked before a start (run events §3.7, §7). Past the cap nothing else happens. */
function startEvents(
  node: PlanNode,
  attempt: number,
  state: EngineState,
  run: RunFacts,
  starts: PlanNode[],
): EventIntent[] {
  if (node.missingCapability !== undefined)
    return [
      nodeFailed(
        node.id,
        {
          code: 'capability_not_provided',
          message: `This host does not provide the capability "${node.missingCapability}" that node type "${node.typeId}" requires.`,
          details: { capability: node.missingCapability },
        },
        1,
      ),
    ];
  if (!node.type)
    return [
      nodeFailed(
        node.id,
        { code: 'unsupported_node_type', message: `This host has no node type "${node.typeId}".` },
        1,
      ),
    ];
  const observed = state.starts + starts.length + 1;
  if (observed > run.maxNodeExecutions) {
    if (starts.includes(node) || observed > run.maxNodeExecutions + 1) return [];
    starts.push(node);
    return [capBreached(run.maxNodeExecutions, node.id)];
  }
  starts.push(node);
  return [
    { type: 'node.started', nodeId: node.id, payload: { nodeId: node.id, typeId: node.typeId, attempt } },
  ];
}

function capBreached(limit: number, nodeId: string): EventIntent {
  return {
    type: 'cap.breached',
    nodeId,
    payload: { kind: 'node-executions', limit, observed: limit + 1, nodeId },
  };
}

/** Trigger rules (run events §1.4) over the incoming edges of a node. */
function evaluate(
  plan: Plan,
  state: EngineState,
  node: PlanNode,
  loopsOver: boolean,
): 'start' | 'skip' | 'wait' {
  let pending = 0;
  let taken = 0;
  let skipped = 0;
  let failed = 0;
  let dataPending = false;
  let dataMissing = false;
  const rules = new Set<PlanEdge['rule']>();
  for (const edge of node.incoming) {
    const status = settledStatus(plan, state, edge, loopsOver);
    if (edge.kind !== 'explicit') {
      if (status === 'pending') dataPending = true;
      else if (status !== 'taken' && edge.kind === 'required-data') dataMissing = true;
      continue;
    }
    rules.add(edge.rule);
    if (status === 'pending') pending += 1;
    else if (status === 'taken') taken += 1;
    else if (status === 'failed') failed += 1;
    else skipped += 1;
  }
  let verdict: 'start' | 'skip' | 'wait' = 'start';
  for (const rule of rules) {
    const one = applyRule(rule, { pending, taken, skipped, failed });
    if (one === 'skip') return 'skip';
    if (one === 'wait') verdict = 'wait';
  }
  if (dataMissing) return 'skip';
  return dataPending ? 'wait' : verdict;
}

interface Tally {
  readonly pending: number;
  readonly taken: number;
  readonly skipped: number;
  readonly failed: number;
}

function applyRule(
  rule: PlanEdge['rule'],
  { pending, taken, skipped, failed }: Tally,
): 'start' | 'skip' | 'wait' {
  switch (rule) {
    case 'all_success':
      if (skipped + failed > 0) return 'skip';
      return pending > 0 ? 'wait' : 'start';
    case 'any_success':
      if (taken > 0) return 'start';
      return pending > 0 ? 'wait' : 'skip';
    case 'all_complete':
      return pending > 0 ? 'wait' : 'start';
    case 'none_failed':
      if (failed > 0) return 'skip';
      return pending > 0 ? 'wait' : 'start';
    case 'any_failed':
      if (failed > 0) return 'start';
      return pending > 0 ? 'wait' : 'skip';
  }
}

/** A branch not taken out of a loop is only decided when the loop is over: a later pass may take it. */
function settledStatus(
  plan: Plan,
  state: EngineState,
  edge: PlanEdge,
  loopsOver: boolean,
): 'pending' | 'taken' | 'skipped' | 'failed' {
  const status = state.edges[edge.id] ?? 'pending';
  if (status === 'late') return 'pending';
  if (
    !loopsOver &&
    status !== 'taken' &&
    edge.leaves.some((header) => loopActive(state, planNode(plan, header)))
  )
    return 'pending';
  return status;
}

/** Any node of the loop, the header aside, is live or still to be decided. */
function loopBusy(state: EngineState, header: PlanNode): boolean {
  for (const id of header.loopBody ?? [])
    if (id !== header.id && (isLive(nodeState(state, id).status) || state.queue.includes(id))) return true;
  return false;
}

function loopActive(state: EngineState, header: PlanNode): boolean {
  return (
    state.reenter.includes(header.id) ||
    isLive(nodeState(state, header.id).status) ||
    state.queue.includes(header.id) ||
    loopBusy(state, header)
  );
}

function loopLimit(state: EngineState, header: PlanNode, iterations: number): EventIntent[] {
  const { loopLimit: limit, id } = header;
  return [
    { type: 'workflow.loopback-limit', nodeId: id, payload: { nodeId: id, iterations, limit } },
    ...failRun(
      state,
      {
        code: 'loopback_limit_exceeded',
        message: `The loop at node "${id}" may be repeated ${limit} times at most.`,
        details: { limit },
      },
      id,
    ),
  ];
}

function invocation(node: PlanNode, state: EngineState, run: RunFacts, now: number): Invocation {
  const current = nodeState(state, node.id);
  const execution = current.executions - 1;
  const startedAt = current.startedAt ?? 0;
  return {
    invocationId: `${run.runId}:${node.id}:${execution}:${current.attempt}`,
    runId: run.runId,
    tenantId: run.tenantId,
    workflowId: run.workflowId,
    nodeId: node.id,
    typeId: node.typeId,
    execution,
    attempt: current.attempt,
    iteration: current.iteration,
    config: node.definition.config,
    inputs: current.inputs ?? {},
    configurable: run.options.configurable ?? {},
    ...(node.type?.variables ? { variables: { ...state.variables } } : {}),
    ...(current.sources ? { sources: current.sources } : {}),
    startedAt,
    now,
    ...(node.timeoutMs > 0 ? { deadline: startedAt + node.timeoutMs } : {}),
  };
}

/** Outputs of the `core.end` nodes that ran; without any, of every completed node that nothing follows. */
function runOutputs(plan: Plan, state: EngineState): JsonObject {
  const ends = [...plan.nodes.values()].filter((node) => node.typeId === 'core.end');
  if (ends.length > 0) return Object.assign({}, ...ends.map((node) => state.nodes[node.id]?.outputs ?? {}));
  const outputs: Record<string, JsonValue> = {};
  for (const node of plan.nodes.values()) {
    const current = nodeState(state, node.id);
    if (
      node.outgoing.length === 0 &&
      current.status === 'completed' &&
      current.outputs &&
      Object.keys(current.outputs).length > 0
    )
      outputs[node.id] = current.outputs;
  }
  return outputs;
}

function cancelNodes(state: EngineState, reason: string): EventIntent[] {
  return Object.entries(state.nodes)
    .filter(([, node]) => isLive(node.status))
    .map(([nodeId]) => ({ type: 'node.cancelled', nodeId, payload: { nodeId, reason } }));
}

function nodeFailed(nodeId: string, error: RunError, attempts: number): EventIntent {
  return { type: 'node.failed', nodeId, payload: { nodeId, error: errorPayload(error), attempts } };
}

function skip(nodeId: string, reason: string): EventIntent {
  return { type: 'node.skipped', nodeId, payload: { nodeId, reason } };
}

function runDeadline(plan: Plan, state: EngineState): number | undefined {
  return plan.timeoutMs > 0 && state.startedAt !== undefined ? state.startedAt + plan.timeoutMs : undefined;
}

function planNode(plan: Plan, id: string): PlanNode {
  const node = plan.nodes.get(id);
  if (!node) throw new Error(`node "${id}" is not part of the workflow`);
  return node;
}
