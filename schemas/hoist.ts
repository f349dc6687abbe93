// Titled definitions become named parts that others refer to, for OpenAPI components and JSON Schema $defs.
import type { TSchema } from 'typebox';
import { RUN_EVENT_TYPES, type RunEventType } from './event-types.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { PAYLOAD_SCHEMAS } from './payloads/index.ts';

/** Keywords whose value is data, not a schema. */
const DATA_KEYWORDS = new Set(['const', 'default', 'enum', 'required']);
/** Keywords whose value maps names to schemas; a property called `title` is not a title. */
const MAP_KEYWORDS = new Set(['properties', 'patternProperties', '$defs']);

/** Collects named parts while schemas are rewritten to refer to them. */
export class Parts {
  readonly schemas: Record<string, JsonObject> = {};
  readonly #prefix: string;

  /** `prefix` is where the parts will live, for example `#/$defs/`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Rewrites a schema: every titled part of it, itself included, becomes a reference. */
  refer(schema: TSchema | JsonObject): JsonObject {
    const source = schema as JsonObject;
    const { title } = source;
    if (typeof title !== 'string') return this.inline(source);
    if (!(title in this.schemas)) {
      // Reserved before descending, so a part cannot be collected twice.
      this.schemas[title] = {};
      this.schemas[title] = this.inline(source);
    }
    return { $ref: this.#prefix + title };
  }

  /** Rewrites the parts of a schema but keeps the schema itself in place. */
  inline(schema: TSchema | JsonObject): JsonObject {
    const copy: JsonObject = {};
    for (const [keyword, value] of Object.entries(schema as JsonObject)) {
      // An aid of our validator that other tools read differently or not at all.
      if (keyword === 'discriminator') continue;
      copy[keyword] = this.#keyword(keyword, value);
    }
    return copy;
  }

  #keyword(keyword: string, value: JsonValue): JsonValue {
    if (DATA_KEYWORDS.has(keyword) || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.refer(item as JsonObject));
    if (!MAP_KEYWORDS.has(keyword)) return this.refer(value);
    return Object.fromEntries(
      Object.entries(value).map(([name, schema]) => [name, this.refer(schema as JsonObject)]),
    );
  }
}

/** Component name of a payload: `node.suspend-failed` → `NodeSuspendFailedPayload`. */
export function payloadTitle(type: RunEventType): string {
  const words = type.split(/[.-]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Payload`;
}

/** The payload schemas with the titles they are published under. */
export function titledPayloads(): TSchema[] {
  return RUN_EVENT_TYPES.map((type) => ({ ...PAYLOAD_SCHEMAS[type], title: payloadTitle(type) }));
}
