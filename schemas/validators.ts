// Validation on one Ajv: nothing is compiled before its first use, and every result is cached.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { describeErrors, type SchemaProblem } from './describe-errors.ts';
import { PAYLOAD_SCHEMAS } from './payloads/index.ts';
import { WIRE_SCHEMAS, type Wire, type WireName } from './registry.ts';
import { RunEventDoc } from './run-event.ts';

export type Validator<T = unknown> = {
  (value: unknown): value is T;
  /** Errors of the latest call; empty when it passed. */
  readonly errors: readonly ErrorObject[];
};

export type CompileOptions = {
  /** Collect every error instead of stopping at the first: for documents people write, not hot paths. */
  allErrors?: boolean;
};

type Mode = { ajv: Ajv2020 | undefined; validators: WeakMap<object, Validator> };

const firstError: Mode = { ajv: undefined, validators: new WeakMap() };
const everyError: Mode = { ajv: undefined, validators: new WeakMap() };

function createAjv(allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    strict: true,
    discriminator: true,
    // Errors carry the schema they come from, which describeErrors needs to name the valid keys.
    verbose: true,
    // Our definitions are checked by tests; compiling the meta-schema would cost more than all of them.
    validateSchema: false,
  });
  addFormats.default(ajv);
  return ajv;
}

/**
 * Returns the validator of a schema, the same one for the same schema object. Compilation happens on
 * its first call. For definitions of this folder: schemas that arrive from outside need their own
 * meta-schema check and regular expression limits.
 */
export function compileSchema<T extends TSchema>(
  schema: T,
  options: CompileOptions = {},
): Validator<Static<T>> {
  const mode = options.allErrors ? everyError : firstError;
  const known = mode.validators.get(schema);
  if (known) return known as Validator<Static<T>>;
  let compiled: ValidateFunction | undefined;
  const validate = (value: unknown): boolean => {
    mode.ajv ??= createAjv(mode === everyError);
    compiled ??= mode.ajv.compile(schema);
    return compiled(value);
  };
  const validator = Object.defineProperty(validate, 'errors', { get: () => compiled?.errors ?? [] });
  mode.validators.set(schema, validator as Validator);
  return validator as Validator<Static<T>>;
}

/** Returns the validator of a named wire definition: `validatorFor('create-run-request')`. */
export function validatorFor<N extends WireName>(name: N, options: CompileOptions = {}): Validator<Wire<N>> {
  return compileSchema<TSchema>(WIRE_SCHEMAS[name], options) as Validator<Wire<N>>;
}

/** Runs a validator; null means valid, otherwise the problems in words. */
export function problemsOf(validator: Validator, value: unknown): SchemaProblem[] | null {
  return validator(value) ? null : describeErrors(validator.errors, value);
}

/**
 * Checks an event before it enters the log: the envelope, then the payload that its type calls for
 * (run events §4.1, §4.5). Returns null when both are valid.
 */
export function checkEvent(event: unknown): SchemaProblem[] | null {
  const envelope = compileSchema(RunEventDoc);
  if (!envelope(event)) return describeErrors(envelope.errors, event);
  const payload = compileSchema<TSchema>(PAYLOAD_SCHEMAS[event.type]);
  if (payload(event.payload)) return null;
  return describeErrors(payload.errors, event.payload).map((problem) => ({
    ...problem,
    path: `/payload${problem.path}`,
  }));
}
