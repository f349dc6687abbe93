/** Edge conditions (run events §1.4): `equals`, `notEquals`, `contains`, `regex`, `expression`. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '../../schemas/json.ts';
import type { EdgeCondition } from '../../schemas/workflow-graph.ts';
import { compileExpression, compilePattern, type Scope } from './expressions.ts';

export type Condition = (scope: Scope) => boolean;

const ROOTS = new Set(['inputs', 'variables', 'nodes', 'run', 'output', 'status', 'error']);

/** Compiles a condition. Throws an Error whose message is fit for the workflow's author. */
export function compileCondition(condition: EdgeCondition): Condition {
  const type = condition.type ?? (condition.expression === undefined ? 'equals' : 'expression');
  if (type === 'expression') {
    if (condition.expression === undefined)
      throw new Error('a condition of type "expression" needs "expression"');
    const evaluate = compileExpression(condition.expression);
    return (scope) => evaluate(scope) === true;
  }
  if (condition.left === undefined) throw new Error(`a condition of type "${type}" needs "left"`);
  const read = compilePath(condition.left);
  const right = condition.right;
  switch (type) {
    case 'equals':
      return (scope) => isDeepStrictEqual(read(scope), right);
    case 'notEquals':
      return (scope) => !isDeepStrictEqual(read(scope), right);
    case 'contains':
      return (scope) => contains(read(scope), right);
    case 'regex': {
      if (typeof right !== 'string') throw new Error('a condition of type "regex" needs a string in "right"');
      const matches = compilePattern(right);
      return (scope) => {
        const value = read(scope);
        return typeof value === 'string' && matches(value);
      };
    }
  }
}

/**
 * Reader of a dotted path. The first segment is a scope root (`output`, `status`, `error`, `inputs`, `variables`, `nodes`, `run`);
 * anything else is looked up in `output`. A missing step gives undefined, which equals nothing.
 */
export function compilePath(path: string): (scope: Scope) => JsonValue | undefined {
  const segments = path.split('.');
  if (segments.some((segment) => segment === '')) throw new Error(`"${path}" is not a dotted path`);
  if (!ROOTS.has(segments[0] ?? '')) segments.unshift('output');
  return (scope) => {
    let value: unknown = scope;
    for (const segment of segments) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
      value = (value as Record<string, unknown>)[segment];
    }
    return value as JsonValue | undefined;
  };
}

/** A string contains a substring, a list an equal member, an object a key. */
function contains(value: JsonValue | undefined, wanted: JsonValue | undefined): boolean {
  if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted);
  if (Array.isArray(value)) return value.some((member) => isDeepStrictEqual(member, wanted));
  if (typeof value === 'object' && value !== null)
    return typeof wanted === 'string' && Object.hasOwn(value, wanted);
  return false;
}
