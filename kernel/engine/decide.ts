/** `decide`: which nodes start, are skipped, or fail before they start, right now. Pure. */
import type { RunError } from '../log/types.ts';
import { errorPayload, failRun } from './endings.ts';
import type { EventIntent, RunFacts } from './intents.ts';
import { type Plan, type PlanNode, planNode } from './plan.ts';
import { evaluate, loopBusy } from './rules.ts';
import { type EngineState, isLive, nodeState } from './state.ts';

/** Starts, skips and failures that are due now. One batch: the decisions do not depend on each other. */
export function decide(
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

function nodeFailed(nodeId: string, error: RunError, attempts: number): EventIntent {
  return { type: 'node.failed', nodeId, payload: { nodeId, error: errorPayload(error), attempts } };
}

function skip(nodeId: string, reason: string): EventIntent {
  return { type: 'node.skipped', nodeId, payload: { nodeId, reason } };
}
