/** A route with everything that can be worked out before its first request: validators, coercions, middleware, limits. */
import type { TSchema } from 'typebox';
import type { Middleware, Route } from '../../kernel/plugin/points/http.ts';
import { compileSchema, type Validator } from '../../schemas/validators.ts';
import type { RouteMetrics } from './metrics.ts';
import { parameterNames } from './route-table.ts';

export interface CompiledRoute {
  readonly route: Route;
  readonly parameterNames: readonly string[];
  readonly params: Check | undefined;
  readonly query: QueryCheck | undefined;
  readonly body: Check | undefined;
  readonly bodyLimit: number;
  /** In the order they run, outermost first. */
  readonly admission: readonly Middleware[];
  readonly execution: readonly Middleware[];
  /** Required scopes for the access log. */
  readonly scope: string;
  readonly metrics: RouteMetrics;
}

export interface Check {
  readonly schema: TSchema;
  readonly valid: Validator;
}

type QueryValues = Readonly<Record<string, string | string[] | undefined>>;

export interface QueryCheck extends Check {
  /** The values as the schema's types, for validation. What does not look like the type stays a string, to be reported. */
  coerce(query: QueryValues): Record<string, unknown>;
}

export function compileRoute(
  route: Route,
  middleware: readonly Middleware[],
  metrics: RouteMetrics,
  bodyLimit: number,
): CompiledRoute {
  const applicable = middleware.filter((each) => each.appliesTo?.(route) ?? true);
  const stage = (name: Middleware['stage']) =>
    applicable.filter((each) => each.stage === name).sort((a, b) => a.order - b.order);
  return {
    route,
    parameterNames: parameterNames(route.path),
    params: check(route.params),
    query: route.query && { ...checkOf(route.query), coerce: coercion(route.query) },
    body: check(route.body),
    bodyLimit: route.bodyLimit ?? bodyLimit,
    admission: stage('admission'),
    execution: stage('execution'),
    scope: (route.scopes ?? []).join(' '),
    metrics,
  };
}

/** Schemas are compiled on their first use; this does it ahead of the first request. */
export function warmUp({ params, query, body }: CompiledRoute): void {
  for (const each of [params, query, body]) each?.valid(undefined);
}

const checkOf = (schema: TSchema): Check => ({ schema, valid: compileSchema<TSchema>(schema) as Validator });
const check = (schema: TSchema | undefined) => schema && checkOf(schema);

type Coerce = (value: string) => unknown;

const COERCE: Readonly<Record<string, Coerce>> = {
  integer: (value) => (/^-?\d{1,15}$/.test(value) ? Number(value) : value),
  number: (value) => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value),
  boolean: (value) => (value === 'true' ? true : value === 'false' ? false : value),
};

function coercion(schema: TSchema): QueryCheck['coerce'] {
  const { properties = {} } = schema as {
    properties?: Record<string, { type?: string; items?: { type?: string } }>;
  };
  const table = Object.entries(properties).map(([name, { type = '', items }]) => ({
    name,
    list: type === 'array',
    coerce: COERCE[type === 'array' ? (items?.type ?? '') : type] ?? ((value: string) => value),
  }));
  return (query) => {
    const values: Record<string, unknown> = { ...query };
    for (const { name, list, coerce } of table) {
      const value = query[name];
      if (value === undefined) continue;
      // A parameter given twice where one is expected stays a list, which the schema then refuses.
      if (list) values[name] = [value].flat().map(coerce);
      else if (typeof value === 'string') values[name] = coerce(value);
    }
    return values;
  };
}
