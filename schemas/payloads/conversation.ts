// Payloads of runOrchestrator.decided and the conversation.* events (run events §8.3, agents §7.3, §8.1).
import { type Static, Type } from 'typebox';
import { closed, oneOf, open, taggedUnion } from '../build.ts';
import { AgentId, bounded, count, nonEmpty } from '../common.ts';
import { AnyJson, SchemaObject } from '../json.ts';
import { ConversationId } from '../suspend-request.ts';

export const OrchestratorDecision = taggedUnion(
  'kind',
  [
    closed({
      kind: Type.Literal('next-worker'),
      nextWorkerIds: Type.Array(bounded(1, 256), { minItems: 1 }),
    }),
    closed({ kind: Type.Literal('ask-user'), prompt: nonEmpty() }),
    closed({ kind: Type.Literal('terminate'), reason: Type.Optional(nonEmpty()) }),
  ],
  { title: 'OrchestratorDecision', description: 'What the supervisor wants done next.' },
);
export type OrchestratorDecision = Static<typeof OrchestratorDecision>;

export const RunOrchestratorDecided = closed({ agentId: AgentId, decision: OrchestratorDecision });

/** The agent of a turn. Its shape differs from AgentRef: sharing is declared per turn (agents §2.1). */
const TurnAgent = open({
  agentId: Type.Optional(nonEmpty()),
  agentSharing: Type.Optional(oneOf(['isolated', 'shared', 'shared:%shared%'])),
  memoryRef: Type.Optional(Type.String()),
});

export const ConversationTurn = open(
  {
    messageId: bounded(1, 256),
    from: bounded(1, 256, { description: 'An agent id, or user.' }),
    content: AnyJson,
    ts: count(0, { description: 'Milliseconds since the epoch, on the clock of the producer.' }),
    role: oneOf(['user', 'agent', 'system']),
    turnIndex: count(),
    to: Type.Optional(Type.String({ maxLength: 256 })),
    groupId: Type.Optional(Type.String({ maxLength: 256 })),
    agent: Type.Optional(TurnAgent),
  },
  { title: 'ConversationTurn', description: 'One message of a conversation.' },
);
export type ConversationTurn = Static<typeof ConversationTurn>;

// Two published schemas disagree about these three events. Each definition accepts both field sets; the
// host writes the one with turns, which is valid under either (agents §7.3).

export const ConversationOpened = open({
  conversationId: ConversationId,
  initialTurn: Type.Optional(ConversationTurn),
  agentId: Type.Optional(bounded(1, 256)),
  schema: Type.Optional(SchemaObject),
  capabilities: Type.Optional(Type.Array(oneOf(['multi-turn', 'streaming']))),
  openedBy: Type.Optional(Type.String()),
});

export const ConversationExchanged = open({
  conversationId: ConversationId,
  turnIndex: count(),
  turn: Type.Optional(ConversationTurn),
  outcome: Type.Optional(AnyJson),
});

export const ConversationClosed = open({
  conversationId: ConversationId,
  turnIndex: Type.Optional(count()),
  finalTurn: Type.Optional(ConversationTurn),
  outcome: Type.Optional(AnyJson),
  reason: Type.Optional(Type.String()),
  turnCount: Type.Optional(count()),
});
