// JSON values: the TypeScript types, and their TypeBox forms (which accept anything JSON can carry).
import { Type } from 'typebox';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

/** Any JSON value, `null` included. */
export const AnyJson = Type.Unsafe<JsonValue>({});

/** Any JSON object. */
export const AnyObject = Type.Unsafe<JsonObject>({ type: 'object' });

/** A JSON Schema carried as data. Its own validity is checked where it is compiled, not here. */
export const SchemaObject = Type.Unsafe<JsonObject>({
  type: 'object',
  description: 'A JSON Schema (2020-12).',
});
