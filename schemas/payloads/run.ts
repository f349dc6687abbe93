// Payloads of the run.* events (run events §4.5).
import { Type } from 'typebox';
import { oneOf, open } from '../build.ts';
import { count, DrainPolicy, DurationMs, EventError, nonEmpty } from '../common.ts';
import { AnyObject } from '../json.ts';

export const TRANSPORTS = ['rest', 'mcp', 'a2a', 'ui'] as const;

export const RunStarted = open({
  workflowId: nonEmpty(),
  inputs: Type.Optional(AnyObject),
  transport: Type.Optional(oneOf(TRANSPORTS)),
  engineVersion: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  metadata: Type.Optional(AnyObject),
});

export const RunCompleted = open({
  outputs: Type.Optional(AnyObject),
  durationMs: Type.Optional(DurationMs),
  reason: Type.Optional(Type.String({ description: 'Why an orchestrator ended the run.' })),
});

export const RunFailed = open({
  error: EventError,
  failedNodeId: Type.Optional(Type.String()),
  durationMs: Type.Optional(DurationMs),
});

export const RunCancelled = open({
  reason: Type.Optional(Type.String()),
  cancelledBy: Type.Optional(Type.String()),
  durationMs: Type.Optional(DurationMs),
});

export const RunResuming = open({ fromStatus: Type.Optional(Type.String()) });

/** The chosen drain policy must be on record (run events §11.1). */
export const RunPaused = open({ drainPolicy: DrainPolicy, reason: Type.Optional(Type.String()) });

export const RunResumed = open({
  reason: Type.Optional(Type.String()),
  resumedBy: Type.Optional(Type.String()),
});

export const RunRestoredFromSnapshot = open({
  snapshotSeq: Type.Optional(count()),
  engineVersion: Type.Optional(Type.String()),
});
