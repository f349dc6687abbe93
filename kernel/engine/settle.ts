/** `settle`: the events that record what an invocation came to. Pure. */
import type { Invocation, Outcome } from '../dispatch/types.ts';
import { errorPayload } from './endings.ts';
import type { EventIntent } from './intents.ts';
import type { Plan, PlanNode } from './plan.ts';
import { type EngineState, nodeState } from './state.ts';

/**
 * Events for an outcome. Empty when the outcome no longer counts: the run ended, the node moved on, or the result is a duplicate.
 * `sleeping` records nothing: the wait follows from the start event and is computed again after a restart.
 */
export function settle(
  plan: Plan,
  state: EngineState,
  invocation: Invocation,
  outcome: Outcome,
): EventIntent[] {
  const { nodeId } = invocation;
  const node = plan.nodes.get(nodeId);
  if (!node || !isCurrent(state, invocation)) return [];
  switch (outcome.kind) {
    case 'completed':
      return [
        ...Object.entries(outcome.variables ?? {}).map(([name, next]) => ({
          type: 'variable.changed',
          nodeId,
          payload: {
            name,
            ...(Object.hasOwn(state.variables, name) ? { previous: state.variables[name] ?? null } : {}),
            next,
            nodeId,
          },
        })),
        { type: 'node.completed', nodeId, payload: { nodeId, outputs: outcome.outputs } },
      ];
    case 'failed':
      return [
        outcome.retryable && invocation.attempt < node.maxRetries
          ? retried(node, invocation, outcome)
          : failed(node, invocation, outcome),
      ];
    case 'capBreached': {
      const { cap: kind, limit, observed } = outcome;
      return [{ type: 'cap.breached', nodeId, payload: { kind, limit, observed, nodeId } }];
    }
    case 'sleeping':
      return [];
  }
}

/** Whether the invocation is what the node is executing right now. */
export function isCurrent(state: EngineState, invocation: Invocation): boolean {
  const node = nodeState(state, invocation.nodeId);
  return (
    state.status === 'running' &&
    node.status === 'running' &&
    node.executions - 1 === invocation.execution &&
    node.attempt === invocation.attempt
  );
}

type Failure = Extract<Outcome, { kind: 'failed' }>;

function failed(node: PlanNode, invocation: Invocation, outcome: Failure): EventIntent {
  return {
    type: 'node.failed',
    nodeId: node.id,
    payload: {
      nodeId: node.id,
      error: { ...errorPayload(outcome.error), retryable: outcome.retryable },
      attempts: invocation.attempt + 1,
    },
  };
}

/** Exponential backoff without jitter: recorded in the log, so that every reader and replay sees the same delay. */
function retried(node: PlanNode, invocation: Invocation, outcome: Failure): EventIntent {
  const delayMs = Math.min(node.retryDelayMs * 2 ** invocation.attempt, node.retryMaxDelayMs);
  return {
    type: 'node.retried',
    nodeId: node.id,
    payload: {
      nodeId: node.id,
      attempt: invocation.attempt + 1,
      delayMs,
      lastError: { ...errorPayload(outcome.error), retryable: true },
    },
  };
}
