/** Shapes of outcomes the core node types share. */

import type { Outcome } from '../../kernel/dispatch/types.ts';
import type { JsonObject } from '../../schemas/json.ts';

export function completed(outputs: JsonObject): Outcome {
  return { kind: 'completed', outputs };
}

/** The node was configured or fed wrongly; trying again cannot help. */
export function invalid(message: string): Outcome {
  return { kind: 'failed', error: { code: 'validation_error', message }, retryable: false };
}

/** Every input under its own name; what arrived over an edge (port `input`) leaves as `output`. */
export function passThrough(inputs: JsonObject): JsonObject {
  const { input, ...named } = inputs;
  return input === undefined ? named : { output: input, ...named };
}
