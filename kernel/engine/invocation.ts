/** The invocation of a node that is running: complete, plain JSON, the same whenever it is made again. */
import type { Invocation } from '../dispatch/types.ts';
import type { RunFacts } from './intents.ts';
import type { PlanNode } from './plan.ts';
import { type EngineState, nodeState } from './state.ts';

export function invocationOf(node: PlanNode, state: EngineState, run: RunFacts, now: number): Invocation {
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
