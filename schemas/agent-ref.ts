// AgentRef: which agent executes a node or supervises a run (run events §5).
import { type Static, Type } from 'typebox';
import { closed, oneOf } from './build.ts';
import { AgentId, bounded } from './common.ts';

export const MODEL_CLASSES = [
  'reasoning',
  'tool-using',
  'chat',
  'code',
  'vision',
  'multimodal',
  'embedding',
  'classification',
  'retrieval',
] as const;

export const ModelClass = oneOf(MODEL_CLASSES);
export type ModelClass = Static<typeof ModelClass>;

export const AgentRef = closed(
  {
    agentId: AgentId,
    name: Type.Optional(Type.String({ maxLength: 256 })),
    modelClass: Type.Optional(ModelClass),
    memoryRef: Type.Optional(bounded(1, 256, { description: 'Opaque handle of the memory it uses.' })),
    version: Type.Optional(Type.String({ maxLength: 64, description: 'Pinned agent version.' })),
    sourceManifestId: Type.Optional(Type.String({ maxLength: 256, description: 'Manifest it came from.' })),
  },
  { title: 'AgentRef', description: 'Reference to an agent.' },
);
export type AgentRef = Static<typeof AgentRef>;
