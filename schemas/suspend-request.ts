// Suspend requests: what a node hands over when it interrupts its run (interrupts §3).
import { type Static, type TProperties, Type } from 'typebox';
import { closed, oneOf, open, taggedUnion } from './build.ts';
import { AgentId, bounded, count, nonEmpty } from './common.ts';
import { AnyJson, AnyObject, SchemaObject } from './json.ts';

/** Actions a person may take on an approval; `edit` is an older word for `edit-accept` (interrupts §3.1). */
export const APPROVAL_ACTIONS = ['accept', 'reject', 'refine', 'edit-accept', 'ask'] as const;
export type ApprovalAction = (typeof APPROVAL_ACTIONS)[number];
export const REJECTION_POLICIES = ['single-veto', 'majority'] as const;

const unitInterval = Type.Number({ minimum: 0, maximum: 1 });
export const ConversationId = bounded(1, 256);

export const ApprovalData = open(
  {
    artifactId: nonEmpty(),
    artifactType: nonEmpty(),
    title: nonEmpty(),
    actions: Type.Array(oneOf(APPROVAL_ACTIONS), { minItems: 1, uniqueItems: true }),
    description: Type.Optional(Type.String()),
    artifactData: Type.Optional(AnyJson),
    requiredApprovals: Type.Optional(count(1, { default: 1 })),
    approversList: Type.Optional(Type.Array(Type.String())),
    rejectionPolicy: Type.Optional(oneOf(REJECTION_POLICIES, { default: 'single-veto' })),
  },
  { title: 'ApprovalData' },
);
export type ApprovalData = Static<typeof ApprovalData>;

export const ClarificationData = closed(
  {
    questions: Type.Array(
      closed({ id: nonEmpty(), question: nonEmpty(), schema: Type.Optional(SchemaObject) }),
      { minItems: 1 },
    ),
    contextType: Type.Optional(Type.String()),
  },
  { title: 'ClarificationData' },
);
export type ClarificationData = Static<typeof ClarificationData>;

export const ExternalEventData = closed(
  { eventType: Type.String(), correlation: AnyObject },
  { title: 'ExternalEventData' },
);

export const CustomInterruptData = closed(
  { customKind: nonEmpty(), payload: Type.Optional(AnyJson) },
  { title: 'CustomInterruptData' },
);

export const ConversationStartData = closed(
  {
    conversationId: ConversationId,
    title: Type.Optional(Type.String()),
    initialPrompt: Type.Optional(Type.String()),
  },
  { title: 'ConversationStartData' },
);

export const ConversationExchangeData = closed(
  {
    conversationId: ConversationId,
    prompt: nonEmpty(),
    outcomeSchema: Type.Optional(SchemaObject),
    turnIndex: Type.Optional(count()),
  },
  { title: 'ConversationExchangeData' },
);

export const ConversationCloseData = closed(
  { conversationId: ConversationId, reason: Type.Optional(Type.String()) },
  { title: 'ConversationCloseData' },
);

export const LowConfidenceData = closed(
  { agentId: AgentId, threshold: unitInterval, observed: unitInterval, decision: Type.Optional(AnyJson) },
  { title: 'LowConfidenceData' },
);

/** The `data` shape of each interrupt kind. */
export const INTERRUPT_DATA = {
  approval: ApprovalData,
  clarification: ClarificationData,
  'external-event': ExternalEventData,
  custom: CustomInterruptData,
  'conversation.start': ConversationStartData,
  'conversation.exchange': ConversationExchangeData,
  'conversation.close': ConversationCloseData,
  'low-confidence': LowConfidenceData,
} as const;

export type InterruptKind = keyof typeof INTERRUPT_DATA;
export const INTERRUPT_KINDS = Object.keys(INTERRUPT_DATA) as InterruptKind[];

/** Kinds that `node.suspended` and `interrupt.resolved` may name; the others use `reason` (§17 X19). */
export const BASE_INTERRUPT_KINDS = ['approval', 'clarification', 'external-event', 'custom'] as const;

/** The fields of one kind's request; `interrupt.requested` adds its ids to the same fields. */
export function requestFields<K extends InterruptKind, E extends TProperties>(kind: K, extra: E) {
  return {
    kind: Type.Literal(kind),
    key: bounded(1, 256, { description: 'Identity of the interrupt for replay.' }),
    data: INTERRUPT_DATA[kind],
    timeoutMs: Type.Optional(count()),
    resumeSchema: Type.Optional(SchemaObject),
    ...extra,
  };
}

/**
 * Validated by `kind`, not by trying every `data` shape: a lone `conversationId` fits two of them and
 * would be rejected as ambiguous (interrupts §3).
 */
export const SuspendRequest = taggedUnion(
  'kind',
  [
    closed(requestFields('approval', {})),
    closed(requestFields('clarification', {})),
    closed(requestFields('external-event', {})),
    closed(requestFields('custom', {})),
    closed(requestFields('conversation.start', {})),
    closed(requestFields('conversation.exchange', {})),
    closed(requestFields('conversation.close', {})),
    closed(requestFields('low-confidence', {})),
  ],
  { title: 'SuspendRequest', description: 'Asks the host to suspend the node until someone answers.' },
);
export type SuspendRequest = Static<typeof SuspendRequest>;
