import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { open } from './build.ts';
import { CreateRunRequest, CreateRunResponse } from './create-run.ts';
import { type ApiRoute, buildOpenApi, components } from './openapi.ts';
import { PauseRunRequest } from './pause.ts';

const info = { title: 'wopr', version: '1' };
const createRun: ApiRoute = {
  method: 'POST',
  path: '/v1/runs',
  operationId: 'createRun',
  summary: 'Start a run',
  tags: ['runs'],
  scope: 'runs:create',
  headers: open({ 'Idempotency-Key': Type.Optional(Type.String({ maxLength: 255 })) }),
  body: CreateRunRequest,
  responses: { 201: { description: 'Accepted.', schema: CreateRunResponse } },
};
const pauseRun: ApiRoute = {
  method: 'POST',
  path: '/v1/runs/{runId}:pause',
  operationId: 'pauseRun',
  summary: 'Pause a run',
  scope: ['runs:cancel', 'runs:read'],
  body: PauseRunRequest,
  responses: { 202: { description: 'Accepted.' } },
};
const discovery: ApiRoute = {
  method: 'GET',
  path: '/.well-known/openwop',
  operationId: 'getCapabilities',
  summary: 'Discovery',
  scope: null,
  responses: { 200: { description: 'Document.', contentType: 'text/event-stream' } },
};

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === '$ref' ? [String(child)] : references(child),
  );
}

test('components hold definitions, their titled parts and all payloads, with no dangling reference', () => {
  const schemas = components();
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining(['RunSnapshot', 'WorkflowNode', 'PortValue', 'NodeSuspendFailedPayload']),
  );
  expect(Object.keys(schemas).filter((name) => name.endsWith('Payload'))).toHaveLength(47);
  for (const ref of references(schemas)) {
    expect(schemas).toHaveProperty([ref.replace('#/components/schemas/', '')]);
  }
});

test('a route becomes an operation that refers to components', () => {
  const document = buildOpenApi({ info, routes: [createRun] });
  expect(document).toMatchObject({ openapi: '3.1.0', info });
  expect(document.paths).toEqual({
    '/v1/runs': {
      post: {
        operationId: 'createRun',
        summary: 'Start a run',
        tags: ['runs'],
        security: [{ bearer: ['runs:create'] }],
        parameters: [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            schema: { type: 'string', maxLength: 255 },
          },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/CreateRunRequest' } } },
        },
        responses: {
          201: {
            description: 'Accepted.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/CreateRunResponse' } } },
          },
          default: {
            description: 'Error.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorEnvelope' } } },
          },
        },
      },
    },
  });
});

test('colon verbs keep their path parameter, optional bodies stay optional', () => {
  const document = buildOpenApi({ info, routes: [pauseRun] });
  expect(document.paths).toMatchObject({
    '/v1/runs/{runId}:pause': {
      post: {
        security: [{ bearer: ['runs:cancel', 'runs:read'] }],
        parameters: [{ name: 'runId', in: 'path', required: true, schema: { type: 'string', minLength: 1 } }],
        requestBody: { required: false },
        responses: { 202: { description: 'Accepted.' } },
      },
    },
  });
});

test('a public route asks for no credential', () => {
  const document = buildOpenApi({ info, routes: [discovery] });
  expect(document.paths).toMatchObject({
    '/.well-known/openwop': {
      get: { security: [], responses: { 200: { content: { 'text/event-stream': {} } } } },
    },
  });
});

test('two routes may share neither a path and method nor an operation id', () => {
  expect(() => buildOpenApi({ info, routes: [createRun, createRun] })).toThrow(
    'two routes for POST /v1/runs',
  );
  expect(() =>
    buildOpenApi({ info, routes: [createRun, { ...pauseRun, operationId: 'createRun' }] }),
  ).toThrow('two routes named createRun');
});
