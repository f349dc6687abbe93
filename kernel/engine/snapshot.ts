/** The snapshot of a run as readers see it (run events §5), and the projection stored with its events. */
import type { JsonObject } from '../../schemas/json.ts';
import type { RunSnapshot } from '../../schemas/run-snapshot.ts';
import type { RunHeader, RunProjection } from '../log/types.ts';
import { maskOutputs, maskRunOutputs, maskVariables } from './masking.ts';
import type { Plan } from './plan.ts';
import { type EngineState, type NodeState, nodeState } from './state.ts';

/** The snapshot plus fields of this host; the protocol's object is open. */
export interface HostSnapshot extends RunSnapshot {
  readonly workflowVersion: string;
  readonly tenantId: string;
  readonly scopeId?: string;
  readonly createdAt: string;
  readonly test?: true;
}

export function toSnapshot(plan: Plan, header: RunHeader, state: EngineState): HostSnapshot {
  const { configurable, tags, metadata } = header.options;
  return {
    runId: header.runId,
    workflowId: header.workflowId,
    workflowVersion: header.workflowVersion,
    tenantId: header.tenantId,
    ...(header.scopeId === null ? {} : { scopeId: header.scopeId }),
    status: state.status,
    createdAt: header.createdAt,
    ...(state.startedAt === undefined ? {} : { startedAt: iso(state.startedAt) }),
    ...(state.completedAt === undefined ? {} : { completedAt: iso(state.completedAt) }),
    variables: maskVariables(plan, state.variables),
    ...(state.outputs === undefined ? {} : { outputs: maskRunOutputs(plan, state.outputs) }),
    nodeStates: nodeSnapshots(plan, state),
    ...(state.error === undefined ? {} : { error: { ...state.error } }),
    engineVersion: String(header.engineVersion),
    eventLogSchemaVersion: header.eventLogSchemaVersion,
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(configurable === undefined ? {} : { configurable }),
    ...(header.test ? { test: true } : {}),
  };
}

/** What changes in the `runs` row with an append. */
export function toProjection(state: EngineState, wakeAt: number | null): RunProjection {
  return {
    status: state.status,
    currentNodeId: null,
    startedAt: state.startedAt === undefined ? null : iso(state.startedAt),
    completedAt: state.completedAt === undefined ? null : iso(state.completedAt),
    error: state.error ?? null,
    wakeAt,
  };
}

function nodeSnapshots(plan: Plan, state: EngineState): Record<string, JsonObject> {
  const snapshots: Record<string, JsonObject> = {};
  for (const id in state.nodes) snapshots[id] = nodeSnapshot(plan, id, nodeState(state, id));
  return snapshots;
}

function nodeSnapshot(plan: Plan, id: string, node: NodeState): JsonObject {
  return {
    status: node.status === 'broken' ? 'running' : node.status,
    ...(node.executions === 0 ? {} : { executions: node.executions, attempt: node.attempt }),
    ...(node.startedAt === undefined ? {} : { startedAt: iso(node.startedAt) }),
    ...(node.endedAt === undefined ? {} : { endedAt: iso(node.endedAt) }),
    ...(node.outputs === undefined ? {} : { outputs: maskOutputs(plan, id, node.outputs) }),
    ...(node.error === undefined ? {} : { error: { ...node.error } }),
    ...(node.status === 'retrying' && node.retryAt !== undefined ? { retryAt: iso(node.retryAt) } : {}),
  };
}

let lastMs = Number.NaN;
let lastIso = '';

/** Snapshots repeat the same few times; formatting one costs more than everything else about it. */
function iso(epochMs: number): string {
  if (epochMs !== lastMs) {
    lastMs = epochMs;
    lastIso = new Date(epochMs).toISOString();
  }
  return lastIso;
}
