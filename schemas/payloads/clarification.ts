// Payloads of the clarification.* events (run events §4.5).
import { Type } from 'typebox';
import { open } from '../build.ts';
import { AnyObject, SchemaObject } from '../json.ts';

export const ClarificationRequested = open({
  nodeId: Type.String(),
  questions: Type.Array(
    open({ id: Type.String(), question: Type.String(), schema: Type.Optional(SchemaObject) }),
  ),
  interruptId: Type.Optional(Type.String()),
});

export const ClarificationResolved = open({
  nodeId: Type.String(),
  answers: AnyObject,
  answeredBy: Type.Optional(Type.String()),
});
