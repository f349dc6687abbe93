// OpenAPI 3.1 built from the wire definitions and the routes the active plugins registered.
import type { TSchema } from 'typebox';
import { ErrorEnvelope } from './error-envelope.ts';
import { Parts, titledPayloads } from './hoist.ts';
import type { JsonObject } from './json.ts';
import { WIRE_SCHEMAS } from './registry.ts';

export type ApiResponse = { description: string; schema?: TSchema; contentType?: string };

export type ApiRoute = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Template such as `/v1/runs/{runId}:fork`. */
  path: string;
  operationId: string;
  summary: string;
  tags?: string[];
  /** Scope, or scopes that are all needed; null means public, absent means any valid credential. */
  scope?: string | string[] | null;
  /** Schemas of path parameters; those not listed are non-empty strings. */
  params?: Record<string, TSchema>;
  /** Object schemas; each property becomes one parameter. */
  query?: TSchema;
  headers?: TSchema;
  body?: TSchema;
  responses: Record<number, ApiResponse>;
};

export type ApiInfo = { title: string; version: string; description?: string };

const COMPONENTS = '#/components/schemas/';
const ANY_NON_EMPTY = { type: 'string', minLength: 1 };

/** Returns `components.schemas`: every wire definition, its titled parts, and every event payload. */
export function components(): Record<string, JsonObject> {
  return collectAll().schemas;
}

function collectAll(): Parts {
  const parts = new Parts(COMPONENTS);
  for (const schema of [...Object.values(WIRE_SCHEMAS), ...titledPayloads()]) parts.refer(schema);
  return parts;
}

/** Builds the document served at /v1/openapi.json (HTTP §1). Two routes may not claim one operation. */
export function buildOpenApi(source: { info: ApiInfo; routes: readonly ApiRoute[] }): JsonObject {
  const parts = collectAll();
  const paths: Record<string, JsonObject> = {};
  const operationIds = new Set<string>();
  for (const route of source.routes) {
    const method = route.method.toLowerCase();
    const item = paths[route.path] ?? {};
    if (method in item) throw new Error(`two routes for ${route.method} ${route.path}`);
    if (operationIds.has(route.operationId)) throw new Error(`two routes named ${route.operationId}`);
    operationIds.add(route.operationId);
    item[method] = operation(route, parts);
    paths[route.path] = item;
  }
  return {
    openapi: '3.1.0',
    info: { ...source.info },
    paths,
    components: {
      schemas: parts.schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ bearer: [] }],
  };
}

function operation(route: ApiRoute, parts: Parts): JsonObject {
  const parameters = [
    ...pathParameters(route, parts),
    ...parametersOf('query', route.query, parts),
    ...parametersOf('header', route.headers, parts),
  ];
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.tags ? { tags: route.tags } : {}),
    security: route.scope === null ? [] : [{ bearer: [route.scope ?? []].flat() }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body ? { requestBody: requestBody(route.body, parts) } : {}),
    responses: responses(route.responses, parts),
  };
}

function pathParameters(route: ApiRoute, parts: Parts): JsonObject[] {
  const names = [...route.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
  return names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: parts.refer(route.params?.[name] ?? ANY_NON_EMPTY),
  }));
}

function parametersOf(place: 'query' | 'header', schema: TSchema | undefined, parts: Parts): JsonObject[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, TSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: parts.refer(property),
  }));
}

/** A body whose schema requires nothing may be left out, as on cancel and pause. */
function requestBody(schema: TSchema, parts: Parts): JsonObject {
  const { required = [] } = schema as { required?: string[] };
  return {
    required: required.length > 0,
    content: { 'application/json': { schema: parts.refer(schema) } },
  };
}

function responses(source: ApiRoute['responses'], parts: Parts): JsonObject {
  const result: Record<string, JsonObject> = {};
  for (const [status, response] of Object.entries(source)) result[status] = answer(response, parts);
  result.default = answer({ description: 'Error.', schema: ErrorEnvelope }, parts);
  return result;
}

function answer(response: ApiResponse, parts: Parts): JsonObject {
  if (!response.schema && !response.contentType) return { description: response.description };
  const media = response.schema ? { schema: parts.refer(response.schema) } : {};
  return {
    description: response.description,
    content: { [response.contentType ?? 'application/json']: media },
  };
}
