// Payloads of the approval.* events (run events §4.5, interrupts §14).
import { Type } from 'typebox';
import { oneOf, open } from '../build.ts';
import { count } from '../common.ts';
import { AnyJson } from '../json.ts';
import { APPROVAL_ACTIONS } from '../suspend-request.ts';

/** The published list of this one event says `edit` where every other place says `edit-accept` (X17). */
export const REQUESTED_ACTIONS = [...APPROVAL_ACTIONS, 'edit'] as const;
export const RECEIVED_ACTIONS = ['accept', 'reject', 'refine', 'edit-accept', 'timeout'] as const;

export const ApprovalRequested = open({
  nodeId: Type.String(),
  artifactId: Type.String(),
  artifactType: Type.String(),
  actions: Type.Array(oneOf(REQUESTED_ACTIONS), { minItems: 1 }),
  interruptId: Type.Optional(Type.String()),
  title: Type.Optional(Type.String()),
  approversList: Type.Optional(Type.Array(Type.String())),
  requiredApprovals: Type.Optional(count(1)),
});

export const RefineFeedback = open({
  scope: oneOf(['whole', 'section', 'items']),
  sectionPath: Type.Optional(Type.String()),
  itemIds: Type.Optional(Type.Array(Type.String())),
  tags: Type.Optional(Type.Array(Type.String())),
  text: Type.Optional(Type.String()),
});

export const ApprovalReceived = open({
  nodeId: Type.String(),
  action: oneOf(RECEIVED_ACTIONS),
  decidedBy: Type.Optional(Type.String({ description: 'Present unless the action is timeout.' })),
  decidedAt: Type.Optional(Type.String()),
  comment: Type.Optional(Type.String()),
  feedback: Type.Optional(Type.String()),
  refineFeedback: Type.Optional(RefineFeedback),
  editedArtifactData: Type.Optional(AnyJson),
});
