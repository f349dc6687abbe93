/** Single settings: a key path, a value, and where it came from; and how layers of them become one tree. */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';

export interface Setting {
  readonly path: readonly string[];
  readonly value: JsonValue;
  /** For messages: `environment variable OPENWOP_PORT`, `command line`, or the path of the file. */
  readonly source: string;
  /** Given as text (environment, command line), so to be converted to the type the schema asks for. */
  readonly text: boolean;
}

/** Where each value came from, by its key path joined with dots. Values not listed are defaults. Holds no values: they may be secret. */
export type Sources = ReadonlyMap<string, Pick<Setting, 'source' | 'text'>>;

/** Puts the settings into one tree; later ones win. */
export function mergeSettings(settings: readonly Setting[]): { tree: JsonObject; sources: Sources } {
  const tree: JsonObject = {};
  const sources = new Map<string, Pick<Setting, 'source' | 'text'>>();
  for (const setting of settings) {
    let place = tree;
    for (const key of setting.path.slice(0, -1)) {
      const child = Object.hasOwn(place, key) ? place[key] : undefined;
      place = isObject(child) ? child : assign(place, key, {});
    }
    assign(place, setting.path.at(-1) ?? '', setting.value);
    const key = setting.path.join('.');
    for (const other of sources.keys()) {
      if (other.startsWith(`${key}.`) || key.startsWith(`${other}.`)) sources.delete(other);
    }
    sources.set(key, { source: setting.source, text: setting.text });
  }
  return { tree, sources };
}

/** Defines the key even if it is `__proto__`, so that the schema check sees and refuses it. */
function assign<T extends JsonValue>(place: JsonObject, key: string, value: T): T {
  Object.defineProperty(place, key, { value, enumerable: true, writable: true, configurable: true });
  return value;
}

/** The settings a JSON document makes: one per leaf (lists and empty objects are leaves). */
export function settingsOf(document: JsonObject, source: string, path: readonly string[] = []): Setting[] {
  return Object.entries(document).flatMap(([key, value]) => {
    const here = [...path, key];
    if (isObject(value) && Object.keys(value).length > 0) return settingsOf(value, source, here);
    return [{ path: here, value, source, text: false }];
  });
}

/** Where the value at `path`, or the first one below it, came from; "not set" when nobody set it. */
export function sourceOf(sources: Sources, path: readonly string[]): string {
  const key = path.join('.');
  const exact = sources.get(key)?.source;
  if (exact !== undefined) return exact;
  for (const [name, { source }] of sources) {
    if (name.startsWith(`${key}.`) || key.startsWith(`${name}.`)) return source;
  }
  return 'not set';
}

/** The schema of the value at `path` as far as `properties` lead to it; empty where they do not. */
export function schemaAt(schema: JsonObject, path: readonly string[]): JsonObject {
  return path.reduce<JsonObject>((place, key) => {
    const child =
      isObject(place.properties) && Object.hasOwn(place.properties, key) ? place.properties[key] : undefined;
    return isObject(child) ? child : {};
  }, schema);
}

/** Converts text to the type the schema asks for. Text that does not fit stays as it is, for the schema check to refuse. */
export function convert(text: string, schema: JsonObject): JsonValue {
  const types = [schema.type].flat();
  if (types.includes('boolean') && /^(true|1)$/i.test(text)) return true;
  if (types.includes('boolean') && /^(false|0)$/i.test(text)) return false;
  const numeric = types.includes('number') || types.includes('integer');
  if (numeric && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (types.includes('array') && !text.startsWith('[')) return text.split(',').map((item) => item.trim());
  if (types.includes('array') || types.includes('object')) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      return text;
    }
  }
  return text;
}

export const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
