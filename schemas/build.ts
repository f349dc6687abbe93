// Builders over TypeBox: one word for the object shapes and unions the wire uses.
import { type Static, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from 'typebox';

/** JSON Schema annotations a definition may carry; a `title` makes it a named component. */
export type Annotations = { title?: string; description?: string; default?: unknown };

/** An object that rejects keys it does not list. */
export function closed<P extends TProperties>(properties: P, annotations: Annotations = {}): TObject<P> {
  return Type.Object(properties, { ...annotations, additionalProperties: false });
}

/**
 * An object that tolerates unknown keys. The static type still lists only the known ones, so our own
 * code cannot misspell a field it writes, while readers accept what a newer host added.
 */
export function open<P extends TProperties>(properties: P, annotations: Annotations = {}): TObject<P> {
  return Type.Object(properties, { ...annotations, additionalProperties: true });
}

/** A string out of a fixed list. */
export function oneOf<const V extends readonly string[]>(values: V, annotations: Annotations = {}) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...annotations });
}

/**
 * A map from any key to one value shape. TypeBox's own `Record` uses `patternProperties`, which reads
 * worse in OpenAPI and lets keys with a line break through unchecked.
 */
export function mapOf<T extends TSchema>(value: T, annotations: Annotations = {}) {
  return Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    additionalProperties: value,
    ...annotations,
  });
}

/**
 * A union told apart by one literal property. The `discriminator` keyword lets the validator pick the
 * branch first, so an error names the field that is wrong instead of "no branch matched".
 */
export function taggedUnion<T extends TSchema[]>(
  tag: string,
  branches: readonly [...T],
  annotations: Annotations = {},
): TUnsafe<Static<T[number]>> {
  return Type.Unsafe<Static<T[number]>>({
    type: 'object',
    discriminator: { propertyName: tag },
    oneOf: branches,
    ...annotations,
  });
}
