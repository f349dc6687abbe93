/**
 * JSON Schemas that come from outside (workflow authors, plugins): checked against the meta-schema, with linear-time patterns, and
 * compiled in an Ajv of their own so that they can be forgotten.
 */

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import { describeErrors } from '../../schemas/describe-errors.ts';
import type { JsonObject } from '../../schemas/json.ts';

const MAX_SCHEMA_BYTES = 64 * 1024;

/** Problems of a value, empty when it is valid. Paths are JSON pointers into the value. */
export type ForeignValidator = (
  value: unknown,
) => readonly { readonly path: string; readonly message: string }[];

/** Compiles a schema. Throws an Error fit for the schema's author. */
export function compileForeignSchema(schema: JsonObject): ForeignValidator {
  if (JSON.stringify(schema).length > MAX_SCHEMA_BYTES)
    throw new Error(`the schema is larger than ${MAX_SCHEMA_BYTES} bytes`);
  const ajv = new Ajv2020({ allErrors: false, strict: false, verbose: true, code: { regExp: linearRegExp } });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : describeErrors(validate.errors as ErrorObject[], value));
}

/** Ajv's hook for the engine behind `pattern`. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: 'linearRegExp' },
);
