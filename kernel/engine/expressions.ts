/**
 * The expression language of conditions and `expression` inputs: CEL (Common Expression Language), bounded and deterministic.
 * Documented in `docs/expressions.md`. No I/O, no clock, no loops beyond list macros, no backtracking regular expressions.
 */
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';

/** What an expression may read. `output`, `status` and `error` exist on edges only and are null elsewhere. */
export interface Scope {
  readonly inputs: JsonObject;
  readonly variables: JsonObject;
  readonly nodes: JsonObject;
  readonly run: JsonObject;
  readonly output?: JsonValue;
  readonly status?: string | null;
  readonly error?: JsonValue;
}

export type Expression = (scope: Scope) => JsonValue;

const MAX_LENGTH = 2000;
const LIST_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
/** Lists longer than this are refused in expressions that nest list macros, whose cost is the product of the lengths. */
const MAX_NESTED_LIST = 1000;

const environment = createEnvironment();

/** Compiles an expression. Throws an Error whose message names the problem and is fit for the workflow's author. */
export function compileExpression(source: string): Expression {
  if (source.length > MAX_LENGTH) throw new Error(`expression is longer than ${MAX_LENGTH} characters`);
  let parsed: ParseResult;
  try {
    parsed = environment.parse(source);
  } catch (error) {
    throw new Error(firstLine(error));
  }
  const checked = parsed.check();
  if (!checked.valid) throw new Error(firstLine(checked.error));
  const nesting = inspect(parsed.ast);
  if (nesting > 2) throw new Error('list macros (map, filter, all, exists) may be nested twice at most');
  return (scope) => {
    if (nesting > 1) refuseLongLists(scope);
    try {
      return toJson(parsed({ output: null, status: null, error: null, ...scope }));
    } catch (error) {
      throw new Error(`expression "${shorten(source)}": ${firstLine(error)}`);
    }
  };
}

/** A compiled RE2 pattern: linear time whatever the input. Throws an Error naming the syntax problem. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_LENGTH) throw new Error(`pattern is longer than ${MAX_LENGTH} characters`);
  const compiled = RE2JS.compile(pattern);
  return (text) => compiled.matcher(text).find();
}

function createEnvironment(): Environment {
  const env = new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: {
      maxAstNodes: 500,
      maxDepth: 32,
      maxListElements: 100,
      maxMapEntries: 100,
      maxCallArguments: 16,
    },
  });
  for (const root of ['inputs', 'variables', 'nodes', 'run', 'output', 'status', 'error'])
    env.registerVariable(root, 'dyn');
  // JSON numbers are CEL doubles while literals such as `1` are ints: let them mix.
  const arithmetic: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const handler = (a: unknown, b: unknown) => apply(Number(a), Number(b));
    env.registerOperator(`double ${operator} int`, handler);
    env.registerOperator(`int ${operator} double`, handler);
  }
  env.registerOperator('double % double', (a: number, b: number) => a % b);
  env.registerFunction('string.regex(string): bool', (text: string, pattern: string) =>
    compilePattern(pattern)(text),
  );
  return env;
}

/** Deepest nesting of list macros. Refuses `matches`, whose engine backtracks. */
function inspect(node: unknown): number {
  if (Array.isArray(node)) return Math.max(0, ...node.map(inspect));
  if (typeof node !== 'object' || node === null || !('op' in node)) return 0;
  const { op, args } = node as ASTNode & { args: unknown };
  if ((op === 'rcall' || op === 'call') && Array.isArray(args)) {
    const [name, ...operands] = args as [unknown, ...unknown[]];
    if (name === 'matches')
      throw new Error('use .regex(pattern) instead of matches(): it runs in linear time');
    if (op === 'rcall' && typeof name === 'string' && LIST_MACROS.has(name)) {
      const [receiver, body] = operands;
      return Math.max(inspect(receiver), 1 + inspect(body));
    }
    return inspect(operands);
  }
  return inspect(args);
}

function refuseLongLists(value: unknown): void {
  if (Array.isArray(value) && value.length > MAX_NESTED_LIST)
    throw new Error(`an expression with nested list macros cannot read lists longer than ${MAX_NESTED_LIST}`);
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) refuseLongLists(member);
}

function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, member]) => [String(key), toJson(member)]));
  if (
    typeof value === 'object' &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  )
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
  throw new Error('the result is not a JSON value');
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
