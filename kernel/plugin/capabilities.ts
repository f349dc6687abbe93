/** Capabilities: the discovery document is the sum of what plugins declare; this is how the parts are summed. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { isObject } from '../config/settings.ts';
import { WoprError } from '../errors.ts';
import type { Contribution } from './types.ts';

/**
 * One document out of all contributions: each id is a root key; objects merge key by key, lists concatenate without repeats, equal
 * values are fine. Throws `plugin_duplicate` naming key and plugins when two give different values.
 */
export function mergeCapabilities(contributions: readonly Contribution<'capabilities'>[]): JsonObject {
  const document: JsonObject = {};
  const owners = new Map<string, string>();
  for (const { id, plugin, value } of contributions) {
    const part = typeof value === 'function' ? value() : value;
    if (part !== undefined) mergeInto(document, id, part, plugin, id, owners);
  }
  return document;
}

function mergeInto(
  place: JsonObject,
  key: string,
  value: JsonValue,
  plugin: string,
  path: string,
  owners: Map<string, string>,
): void {
  const present = Object.hasOwn(place, key) ? place[key] : undefined;
  if (isObject(value) && (present === undefined || isObject(present))) {
    const child = present ?? {};
    place[key] = child;
    for (const [name, item] of Object.entries(value))
      mergeInto(child, name, item, plugin, `${path}.${name}`, owners);
  } else if (present === undefined) {
    place[key] = structuredClone(value);
  } else if (Array.isArray(present) && Array.isArray(value)) {
    const added = value.filter((item) => !present.some((other) => isDeepStrictEqual(other, item)));
    place[key] = [...present, ...structuredClone(added)];
  } else if (!isDeepStrictEqual(present, value)) {
    const message = `Plugins "${owners.get(path)}" and "${plugin}" give the capability ${path} different values.`;
    throw new WoprError('plugin_duplicate', message);
  }
  if (!owners.has(path)) owners.set(path, plugin);
}
