/** Reserved keys of `configurable`: bounds, and the AI settings this host can honour (HTTP §13.2, §13.3). */
import { WoprError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../schemas/json.ts';

const BOUNDS: readonly { readonly key: string; readonly min: number; readonly max?: number }[] = [
  { key: 'recursionLimit', min: 1 },
  { key: 'temperature', min: 0, max: 2 },
  { key: 'maxTokens', min: 1 },
  { key: 'escalationThreshold', min: 0, max: 1 },
];

/** What the discovery document says about AI providers; empty without such a plugin. */
export interface OfferedProviders {
  readonly supported: readonly string[];
  readonly byok: readonly string[];
}

/** Numbers out of range: `validation_error` with `details {key, value, min, max}`. Other mistakes are left to the schema. */
export function checkBounds(configurable: JsonObject): void {
  for (const { key, min, max } of BOUNDS) {
    const value = configurable[key];
    if (typeof value !== 'number' || (value >= min && (max === undefined || value <= max))) continue;
    const range = max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
    throw new WoprError('validation_error', `configurable.${key} must be ${range}.`, {
      details: { key, value, min, ...(max === undefined ? {} : { max }) },
    });
  }
}

/**
 * Checks `ai.provider` and `ai.credentialRef` in both spellings, dotted keys and a nested object. Errors: `validation_error` for an
 * unknown provider or two spellings that disagree, `credential_forbidden` for a reference no own-key provider can use.
 */
export function checkAi(configurable: JsonObject, offered: () => OfferedProviders): void {
  const provider = aiOption(configurable, 'provider');
  aiOption(configurable, 'model');
  const credentialRef = aiOption(configurable, 'credentialRef');
  if (provider === undefined && credentialRef === undefined) return;
  const { supported, byok } = offered();
  if (provider !== undefined && !supported.includes(provider)) {
    throw new WoprError(
      'validation_error',
      'configurable.ai.provider names a provider this host does not offer.',
      {
        details: { key: 'ai.provider', supported: [...supported] },
      },
    );
  }
  if (
    credentialRef !== undefined &&
    (provider === undefined ? byok.length === 0 : !byok.includes(provider))
  ) {
    throw new WoprError(
      'credential_forbidden',
      'No provider of this host takes own credentials for this run.',
      {
        details: provider === undefined ? {} : { provider },
      },
    );
  }
}

function aiOption(configurable: JsonObject, name: string): string | undefined {
  const dotted = configurable[`ai.${name}`];
  const { ai } = configurable;
  const nested = typeof ai === 'object' && ai !== null && !Array.isArray(ai) ? ai[name] : undefined;
  if (dotted !== undefined && nested !== undefined && dotted !== nested) {
    throw new WoprError(
      'validation_error',
      `configurable["ai.${name}"] and configurable.ai.${name} differ; send one of them.`,
      {
        details: { key: `ai.${name}` },
      },
    );
  }
  const value = dotted ?? nested;
  return typeof value === 'string' ? value : undefined;
}
