// Payloads the host itself causes: workflow.*, cap.breached, lease.*, replay.diverged (run events §4.5).
import { Type } from 'typebox';
import { oneOf, open } from '../build.ts';
import { count, DateTime, nonEmpty } from '../common.ts';
import { AnyJson } from '../json.ts';

export const WorkflowRestored = open({
  fromSnapshotSeq: Type.Optional(count()),
  engineVersion: Type.Optional(Type.String()),
});

export const WorkflowLoopbackLimit = open({
  nodeId: Type.String(),
  iterations: count(1),
  limit: Type.Optional(count(1)),
});

export const WorkflowStalled = open({
  stalledForMs: Type.Optional(count()),
  lastNodeId: Type.Optional(Type.String()),
});

/** The cap kinds in use. The published list ends after four, so validation leaves it open (§17 X12). */
export const CAP_KINDS = [
  'clarification',
  'schema',
  'envelopes',
  'node-executions',
  'dispatch-iterations',
  'orchestrator-iterations',
  'confidence-escalation-suppressed',
  'wasm-memory',
  'wasm-execution-time',
] as const;
export type CapKind = (typeof CAP_KINDS)[number];

export const CapBreached = open({
  kind: nonEmpty({ description: `For example ${CAP_KINDS.slice(0, 4).join(', ')}.` }),
  limit: count(),
  observed: count(),
  nodeId: Type.Optional(Type.String()),
});

const LeaseHost = oneOf(['browser', 'cloud']);

/** Shared by lease.acquired, lease.renewed and lease.lost. */
export const LeaseLifecycle = open({
  leaseId: nonEmpty(),
  host: LeaseHost,
  instanceId: Type.Optional(Type.String()),
  expiresAt: Type.Optional(DateTime),
  previousHost: Type.Optional(LeaseHost),
});

export const LeaseHandedOff = open({
  leaseId: nonEmpty(),
  fromHost: LeaseHost,
  toHost: LeaseHost,
  reason: Type.Optional(Type.String()),
});

export const DIVERGENCE_KINDS = ['output', 'missing', 'extra', 'type-mismatch'] as const;

/** Union of the two published field sets (run events §17 X30). */
export const ReplayDiverged = open({
  sourceRunId: nonEmpty(),
  atSequence: count(),
  originalEventId: Type.Optional(Type.String()),
  replayEventId: Type.Optional(Type.String()),
  divergenceKind: Type.Optional(oneOf(DIVERGENCE_KINDS)),
  divergencePoint: Type.Optional(AnyJson),
});
