// Payloads of artifact.created and output.chunk (run events §4.5, §9.4).
import { type Static, Type } from 'typebox';
import { closed, oneOf, open } from '../build.ts';
import { count, NodeId, nonEmpty } from '../common.ts';
import { AnyObject } from '../json.ts';

export const ArtifactCreated = open({
  artifactId: nonEmpty(),
  artifactType: nonEmpty(),
  nodeId: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  summary: Type.Optional(Type.String()),
});

export const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const;

export const TokenUsage = open({
  promptTokens: Type.Optional(count()),
  completionTokens: Type.Optional(count()),
  totalTokens: Type.Optional(count()),
});

/** Closed: what has no slot here goes into `providerExtensions`. */
export const ChunkMeta = closed(
  {
    finishReason: Type.Optional(oneOf(FINISH_REASONS)),
    logprobs: Type.Optional(Type.Array(AnyObject)),
    toolCalls: Type.Optional(Type.Array(AnyObject)),
    model: Type.Optional(Type.String()),
    usage: Type.Optional(TokenUsage),
    provider: Type.Optional(Type.String()),
    providerExtensions: Type.Optional(AnyObject),
  },
  { title: 'ChunkMeta' },
);
export type ChunkMeta = Static<typeof ChunkMeta>;

/** The `messages` stream sends the same payload under the name `ai.message.chunk` (§17 X7). */
export const OutputChunk = open({
  nodeId: NodeId,
  chunk: Type.String(),
  isLast: Type.Optional(Type.Boolean()),
  channel: Type.Optional(Type.String({ description: 'Sub-stream the chunk belongs to.' })),
  meta: Type.Optional(ChunkMeta),
});
