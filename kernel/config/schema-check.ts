/** Checks configuration and manifests against JSON Schema, with messages for the person who edits them. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { closest } from '../../schemas/nearest.ts';

export interface SchemaProblem {
  readonly path: readonly string[];
  /** Continues a sentence that starts with the key: `must be an integer`. Never quotes the value. */
  readonly message: string;
}

/** Fills in defaults in place and returns what is wrong (nothing = valid). */
export type SchemaCheck = (value: unknown) => SchemaProblem[];

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  discriminator: true,
  logger: false,
});
addFormats.default(ajv);
// Marks plugin configuration that must never be printed.
ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' });

/** Compiles a schema (2020-12). Throws an Error that says what is wrong with the schema itself. */
export function schemaCheck(schema: object): SchemaCheck {
  // Without `$id`, so that the same plugin can be loaded twice in one process.
  const { $id: _, ...anonymous } = schema as { $id?: string };
  const validate = ajv.compile(anonymous);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(explain));
}

/** `a.b[0].c` */
export function keyText(path: readonly string[]): string {
  return path.reduce(
    (text, key) => (/^\d+$/.test(key) ? `${text}[${key}]` : text ? `${text}.${key}` : key),
    '',
  );
}

function explain(error: ErrorObject): SchemaProblem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const { parentSchema = {}, params } = error;
  const description = typeof parentSchema.description === 'string' ? parentSchema.description : undefined;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const close = closest(key, Object.keys(parentSchema.properties ?? {}));
      const help = close === undefined ? 'no key is allowed here' : `the nearest valid one is "${close}"`;
      return { path: [...path, key], message: `is not a known key; ${help}` };
    }
    case 'required':
      return { path: [...path, String(params.missingProperty)], message: 'is missing' };
    case 'type':
      return { path, message: `must be ${article([params.type].flat().join(' or '))}` };
    case 'enum':
      return { path, message: `must be one of ${(params.allowedValues as unknown[]).join(', ')}` };
    case 'const':
      return { path, message: `must be ${JSON.stringify(params.allowedValue)}` };
    case 'pattern':
      return { path, message: description ? `must be ${description}` : `must match ${params.pattern}` };
    case 'uniqueItems':
      return {
        path,
        message: `must not repeat items, but [${Math.min(params.i, params.j)}] and [${Math.max(params.i, params.j)}] are the same`,
      };
    default:
      return { path, message: error.message ?? `breaks the rule "${error.keyword}"` };
  }
}

const article = (type: string) => (type === 'null' ? type : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`);
