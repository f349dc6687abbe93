// Turns Ajv errors into sentences for the author of the document: where, what, and what was meant.
import type { ErrorObject } from 'ajv/dist/2020.js';
import { nearest } from './nearest.ts';

export type SchemaProblem = {
  /** JSON pointer to the offending value, key or missing property. */
  path: string;
  /** Id of the workflow node the path lies in, when there is one. */
  nodeId?: string;
  message: string;
};

/** More problems than this help nobody. */
const MAX_PROBLEMS = 20;
/** Errors looked at: a hostile document can cause millions, and folding unions is quadratic. */
const MAX_ERRORS = 500;
/** Longer values are named by their type only, longer keys are cut. */
const MAX_QUOTED = 60;

/**
 * Describes Ajv errors (made with `verbose`) about `value`. Errors of union branches are folded into
 * one problem, and each path is reported once.
 */
export function describeErrors(errors: readonly ErrorObject[], value: unknown): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const error of withoutUnionNoise(errors.slice(0, MAX_ERRORS))) {
    const path = error.instancePath + pathSuffix(error);
    if (problems.has(path)) continue;
    const nodeId = enclosingNodeId(path, value);
    problems.set(path, { path, ...(nodeId === undefined ? {} : { nodeId }), message: sentence(error) });
    if (problems.size === MAX_PROBLEMS) break;
  }
  return [...problems.values()];
}

/** Missing and unknown keys are reported at the key itself, and a wrong tag at the tag. */
function pathSuffix(error: ErrorObject): string {
  const { missingProperty, additionalProperty, tag } = error.params;
  const key = missingProperty ?? additionalProperty ?? tag;
  return typeof key === 'string' ? `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
}

function sentence(error: ErrorObject): string {
  const { params, parentSchema } = error;
  switch (error.keyword) {
    case 'required':
      return `Missing required property "${params.missingProperty}".`;
    case 'additionalProperties':
      return unknownKey(params.additionalProperty, Object.keys(parentSchema?.properties ?? {}));
    case 'type':
      return `Must be ${typeName(params.type)}, got ${kindOf(error.data)}.`;
    case 'enum':
      return choice(params.allowedValues, error.data);
    case 'const':
      return choice([params.allowedValue], error.data);
    case 'discriminator':
      return choice(tagValues(parentSchema?.oneOf, params.tag), params.tagValue);
    case 'anyOf':
      return `Must be ${parentSchema?.description ?? 'one of the allowed shapes'}.`;
    case 'minLength':
      return params.limit === 1 ? 'Must not be empty.' : `Must have at least ${params.limit} characters.`;
    case 'maxLength':
      return `Must have at most ${params.limit} characters.`;
    case 'minItems':
      return `Must have at least ${params.limit} ${params.limit === 1 ? 'item' : 'items'}.`;
    case 'maxItems':
      return `Must have at most ${params.limit} items.`;
    case 'uniqueItems':
      return `Items ${Math.min(params.i, params.j)} and ${Math.max(params.i, params.j)} are equal, but all must differ.`;
    case 'minimum':
      return `Must be at least ${params.limit}, got ${error.data}.`;
    case 'maximum':
      return `Must be at most ${params.limit}, got ${error.data}.`;
    case 'format':
      return `Must be a valid ${params.format}.`;
    case 'pattern':
      return patternHint(params.pattern, parentSchema?.description);
    default:
      return `${error.message ?? 'Is not valid'}.`;
  }
}

function unknownKey(key: string, known: string[]): string {
  const guess = nearest(key, known);
  const name = key.length > MAX_QUOTED ? `${key.slice(0, MAX_QUOTED)}…` : key;
  if (guess !== null) return `Unknown property "${name}". Did you mean "${guess}"?`;
  if (known.length === 0) return `Unknown property "${name}": nothing is allowed here.`;
  return `Unknown property "${name}". Allowed: ${known.join(', ')}.`;
}

function choice(allowed: unknown[], value: unknown): string {
  const options = allowed.map((option) => JSON.stringify(option)).join(', ');
  const guess = typeof value === 'string' ? nearest(value, allowed.map(String)) : null;
  const got = value === undefined ? '' : `, got ${quoted(value)}`;
  return `Must be ${allowed.length === 1 ? '' : 'one of '}${options}${got}.${guess === null ? '' : ` Did you mean "${guess}"?`}`;
}

function tagValues(branches: unknown, tag: string): unknown[] {
  if (!Array.isArray(branches)) return [];
  return branches.map((branch) => branch.properties[tag].const);
}

function patternHint(pattern: string, description: unknown): string {
  return typeof description === 'string'
    ? `Does not have the required form: ${description}`
    : `Must match ${pattern}.`;
}

function typeName(type: string | string[]): string {
  const names: Record<string, string> = { object: 'an object', array: 'an array', integer: 'an integer' };
  return [type]
    .flat()
    .map((name) => names[name] ?? `a ${name}`)
    .join(' or ');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : `${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Quotes short scalars only: a long string is more likely a misplaced secret than a typing error. */
function quoted(value: unknown): string {
  const text = typeof value === 'object' ? undefined : JSON.stringify(value);
  return text !== undefined && text.length <= MAX_QUOTED ? text : kindOf(value);
}

/**
 * A plain union reports one error per branch and one for itself. When a branch got far enough to name a
 * key or an inner value, its errors say more; otherwise the union's own sentence does.
 */
function withoutUnionNoise(errors: readonly ErrorObject[]): ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const union of errors) {
    if (union.keyword !== 'anyOf') continue;
    const branches = errors.filter(
      (error) =>
        error.schemaPath.startsWith(`${union.schemaPath}/`) &&
        error.instancePath.startsWith(union.instancePath),
    );
    const telling = branches.filter(
      (error) => error.instancePath !== union.instancePath || pathSuffix(error) !== '',
    );
    for (const error of branches) if (!telling.includes(error)) dropped.add(error);
    if (telling.length > 0) dropped.add(union);
  }
  return errors.filter((error) => !dropped.has(error));
}

/** `/nodes/3/typeId` lies in the node that `value.nodes[3].id` names. */
function enclosingNodeId(path: string, value: unknown): string | undefined {
  const index = /^\/nodes\/(\d+)(\/|$)/.exec(path)?.[1];
  if (index === undefined) return undefined;
  const nodes = (value as { nodes?: unknown }).nodes;
  const node = Array.isArray(nodes) ? nodes[Number(index)] : undefined;
  return typeof node?.id === 'string' ? node.id : undefined;
}
