/** How a run ends: cancelled, failed, and the outputs of a completed one. Pure. */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { RunError } from '../log/types.ts';
import type { EventIntent } from './intents.ts';
import type { Plan } from './plan.ts';
import { type EngineState, isLive, nodeState } from './state.ts';

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

/** Outputs of the `core.end` nodes that ran; without any, of every completed node that nothing follows. */
export function runOutputs(plan: Plan, state: EngineState): JsonObject {
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
