// Payloads of the agent.* events (run events §4.5; field names per §17 X34).
import { Type } from 'typebox';
import { open } from '../build.ts';
import { AgentId, count, DurationMs, EventError, nonEmpty } from '../common.ts';
import { AnyJson } from '../json.ts';
import { ReasoningVerbosity } from '../run-options.ts';

export const AgentReasoned = open({
  agentId: AgentId,
  reasoning: Type.String(),
  verbosity: Type.Optional(ReasoningVerbosity),
  tokenCount: Type.Optional(count()),
});

export const AgentToolCalled = open({
  agentId: AgentId,
  toolName: nonEmpty(),
  callId: nonEmpty({ description: 'Pairs the call with its result.' }),
  inputs: Type.Optional(AnyJson),
});

/** Carries `outcome` or `error`, not both; its `causationId` names the call (run events §4.2). */
export const AgentToolReturned = open({
  agentId: AgentId,
  toolName: nonEmpty(),
  callId: nonEmpty(),
  outcome: Type.Optional(AnyJson),
  error: Type.Optional(EventError),
  durationMs: Type.Optional(DurationMs),
});

/** `agentId` repeats `fromAgentId`: readers expect it on every agent event. */
export const AgentHandoff = open({
  fromAgentId: AgentId,
  toAgentId: AgentId,
  agentId: Type.Optional(AgentId),
  reason: Type.Optional(Type.String()),
});

export const AgentDecided = open({
  agentId: AgentId,
  decision: AnyJson,
  confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  reasoning: Type.Optional(Type.String()),
});
