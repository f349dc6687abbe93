// Options fixed when a run is created: configurable, tags, metadata (HTTP §13).
import { type Static, Type } from 'typebox';
import { closed, mapOf, oneOf, open } from './build.ts';
import { bounded, count, nonEmpty, Tags } from './common.ts';
import { AnyObject, type JsonObject, type JsonValue } from './json.ts';

export const REASONING_VERBOSITIES = ['summary', 'full', 'off'] as const;
export const ReasoningVerbosity = oneOf(REASONING_VERBOSITIES);
export type ReasoningVerbosity = Static<typeof ReasoningVerbosity>;

/** Limits the protocol recommends for `metadata`, enforced by `metadataProblem` (HTTP §13.5). */
export const METADATA_MAX_DEPTH = 4;
export const METADATA_MAX_BYTES = 8192;

/** Answers every AI call of the run from a script; test keys only (HTTP §13.4). */
export const MockProvider = closed(
  { id: bounded(1, 128), config: Type.Optional(AnyObject) },
  { title: 'MockProvider', description: 'Scripted AI provider for tests.' },
);
export type MockProvider = Static<typeof MockProvider>;

const aiOptions = { provider: nonEmpty(), model: nonEmpty(), credentialRef: nonEmpty() };

/**
 * Reserved keys with their bounds; other keys pass unless the host or the workflow restricts them.
 * `ai.*` exists in two spellings, dotted and nested, and both are accepted (HTTP §13.3).
 */
export const Configurable = open(
  {
    recursionLimit: Type.Optional(
      count(1, { description: 'Most node executions; clamped to the host limit.' }),
    ),
    model: Type.Optional(nonEmpty()),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    maxTokens: Type.Optional(count(1)),
    promptOverrides: Type.Optional(mapOf(Type.String())),
    mockProvider: Type.Optional(MockProvider),
    'ai.provider': Type.Optional(aiOptions.provider),
    'ai.model': Type.Optional(aiOptions.model),
    'ai.credentialRef': Type.Optional(aiOptions.credentialRef),
    ai: Type.Optional(
      open({
        provider: Type.Optional(aiOptions.provider),
        model: Type.Optional(aiOptions.model),
        credentialRef: Type.Optional(aiOptions.credentialRef),
      }),
    ),
    escalationThreshold: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 0.7 })),
    reasoningVerbosity: Type.Optional(ReasoningVerbosity),
  },
  { title: 'Configurable', description: 'Per-run settings visible to node code; immutable after creation.' },
);
export type Configurable = Static<typeof Configurable>;

export const Metadata = Type.Unsafe<JsonObject>({
  type: 'object',
  description: `Caller data: at most ${METADATA_MAX_DEPTH} levels and ${METADATA_MAX_BYTES} bytes of JSON.`,
});

export const runOptionFields = {
  configurable: Type.Optional(Configurable),
  tags: Type.Optional(Tags),
  metadata: Type.Optional(Metadata),
};

export const RunOptions = closed(runOptionFields, {
  title: 'RunOptions',
  description: 'Options of a run.',
});
export type RunOptions = Static<typeof RunOptions>;

/** Checks what JSON Schema cannot say about metadata; returns a sentence, or null when it is fine. */
export function metadataProblem(metadata: JsonObject): string | null {
  // Depth first: a document nested beyond the limit is refused before it is serialised.
  if (isDeeperThan(metadata, METADATA_MAX_DEPTH)) {
    return `metadata is nested deeper than ${METADATA_MAX_DEPTH} levels`;
  }
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > METADATA_MAX_BYTES) return `metadata takes ${bytes} bytes, the limit is ${METADATA_MAX_BYTES}`;
  return null;
}

function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}
