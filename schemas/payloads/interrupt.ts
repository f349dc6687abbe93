// Payloads of the interrupt.* events (run events §4.5 and §17 X15, interrupts §14).
import { type Static, Type } from 'typebox';
import { oneOf, open, taggedUnion } from '../build.ts';
import { DateTime, NodeId, nonEmpty } from '../common.ts';
import { AnyJson } from '../json.ts';
import { BASE_INTERRUPT_KINDS, requestFields } from '../suspend-request.ts';

/** The suspend request plus the identity the engine gave it; open, unlike the request itself (X15). */
const identity = {
  nodeId: NodeId,
  interruptId: nonEmpty(),
  runId: Type.Optional(Type.String()),
  requestedAt: Type.Optional(DateTime),
};

export const InterruptRequested = taggedUnion('kind', [
  open(requestFields('approval', identity)),
  open(requestFields('clarification', identity)),
  open(requestFields('external-event', identity)),
  open(requestFields('custom', identity)),
  open(requestFields('conversation.start', identity)),
  open(requestFields('conversation.exchange', identity)),
  open(requestFields('conversation.close', identity)),
  open(requestFields('low-confidence', identity)),
]);
export type InterruptRequested = Static<typeof InterruptRequested>;

export const InterruptResolved = open({
  nodeId: NodeId,
  interruptId: nonEmpty(),
  kind: Type.Optional(oneOf(BASE_INTERRUPT_KINDS)),
  resumeValue: Type.Optional(AnyJson),
  runId: Type.Optional(Type.String()),
  resolvedAt: Type.Optional(DateTime),
  resolvedBy: Type.Optional(Type.String()),
});
