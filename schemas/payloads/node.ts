// Payloads of the node.* events (run events §3.3, §4.5).
import { Type } from 'typebox';
import { AgentRef } from '../agent-ref.ts';
import { oneOf, open } from '../build.ts';
import { AgentId, count, DurationMs, EventError, NodeId, nonEmpty } from '../common.ts';
import { AnyJson, AnyObject } from '../json.ts';
import { BASE_INTERRUPT_KINDS } from '../suspend-request.ts';

export const NodeStarted = open({
  nodeId: NodeId,
  typeId: nonEmpty(),
  attempt: Type.Optional(count(0, { description: 'Zero-based.' })),
  agent: Type.Optional(AgentRef),
});

export const NodeCompleted = open({
  nodeId: NodeId,
  outputs: Type.Optional(AnyObject),
  durationMs: Type.Optional(DurationMs),
  agent: Type.Optional(AgentRef),
});

export const NodeFailed = open({
  nodeId: NodeId,
  error: EventError,
  attempts: Type.Optional(count(1)),
});

/** Kinds outside the base four put their name into `reason` and omit `kind` (run events §17 X19). */
export const NodeSuspended = open({
  nodeId: NodeId,
  interruptId: nonEmpty(),
  kind: Type.Optional(oneOf(BASE_INTERRUPT_KINDS)),
  key: Type.Optional(nonEmpty()),
  reason: Type.Optional(Type.String({ description: 'For example low-confidence, conversation-input.' })),
  agentId: Type.Optional(AgentId),
  threshold: Type.Optional(Type.Number()),
  observed: Type.Optional(Type.Number()),
});

export const NodeSuspendFailed = open({ nodeId: NodeId, error: EventError });

export const NodeResumed = open({
  nodeId: NodeId,
  interruptId: Type.Optional(Type.String()),
  resumeValue: Type.Optional(AnyJson),
});

export const NodeRetried = open({
  nodeId: NodeId,
  attempt: count(1),
  delayMs: Type.Optional(count()),
  lastError: Type.Optional(EventError),
});

export const NodeSkipped = open({ nodeId: NodeId, reason: Type.Optional(Type.String()) });

export const NodeCancelled = open({ nodeId: NodeId, reason: Type.Optional(Type.String()) });
