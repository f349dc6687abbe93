/** GET /v1/workflows/{workflowId} (HTTP §5.9), and the host extensions GET and POST /v1/workflows (run events §1.9). */
import { Type } from 'typebox';
import { WoprError } from '../../kernel/errors.ts';
import type { Principal, Route } from '../../kernel/plugin/points/http.ts';
import type { StoredWorkflow, WorkflowService } from '../../kernel/runs/types.ts';
import { Id128, nonEmpty } from '../../schemas/common.ts';
import { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import {
  RegisterWorkflowRequest,
  RegisterWorkflowResponse,
  WorkflowList,
  type WorkflowSummary,
} from '../../schemas/workflow-registration.ts';
import { callerOf, tenantFor } from '../runs-api/contract.ts';

const PAGE = 500;

const WorkflowParams = Type.Object({ workflowId: Id128 });
const VersionQuery = Type.Object(
  {
    version: Type.Optional(
      nonEmpty({ description: 'A registered version; default is the one registered last.' }),
    ),
  },
  { additionalProperties: true },
);
const ListQuery = Type.Object(
  { cursor: Type.Optional(nonEmpty({ description: 'nextCursor of the page before.' })) },
  { additionalProperties: true },
);

export function getWorkflowRoute(workflows: WorkflowService): Route {
  return {
    method: 'GET',
    path: '/v1/workflows/{workflowId}',
    operationId: 'getWorkflow',
    summary: 'Read a workflow definition as it was registered',
    tags: ['workflows'],
    scopes: ['manifest:read'],
    params: WorkflowParams,
    query: VersionQuery,
    responses: {
      200: { description: 'The definition.', schema: WorkflowDefinition },
      404: { description: 'No such workflow, or no such version, is visible to this key.' },
    },
    handle(request) {
      const { workflowId = '' } = request.params;
      const { version } = request.query as { version?: string };
      const found = visible(workflows, callerOf(request), workflowId, version);
      if (!found) {
        const what = version === undefined ? '' : ` in version "${version.slice(0, 128)}"`;
        throw new WoprError(
          'not_found',
          `No workflow "${workflowId.slice(0, 128)}"${what} is visible to this key.`,
        );
      }
      return { status: 200, body: found.definition };
    },
  };
}

export function listWorkflowsRoute(workflows: WorkflowService): Route {
  return {
    method: 'GET',
    path: '/v1/workflows',
    operationId: 'listWorkflows',
    summary: 'List the newest version of every visible workflow (host extension)',
    tags: ['workflows'],
    scopes: ['manifest:read'],
    query: ListQuery,
    responses: { 200: { description: 'A page of workflows, ordered by id.', schema: WorkflowList } },
    handle(request) {
      const { cursor } = request.query as { cursor?: string };
      const all = workflows.list(callerOf(request).tenantId);
      const start = cursor === undefined ? 0 : all.findIndex(({ workflowId }) => workflowId > cursor);
      const page = start < 0 ? [] : all.slice(start, start + PAGE);
      const last = page.at(-1);
      const more = start >= 0 && start + PAGE < all.length;
      const body: WorkflowList = {
        workflows: page.map(summary),
        ...(more && last !== undefined ? { nextCursor: last.workflowId } : {}),
      };
      return { status: 200, body };
    },
  };
}

export function registerWorkflowRoute(workflows: WorkflowService, bodyLimit: number): Route {
  return {
    method: 'POST',
    path: '/v1/workflows',
    operationId: 'registerWorkflow',
    summary: 'Register a version of a workflow (host extension)',
    tags: ['workflows'],
    scopes: ['manifest:write'],
    body: RegisterWorkflowRequest,
    bodyLimit,
    responses: {
      200: { description: 'This very definition was registered before.', schema: RegisterWorkflowResponse },
      201: { description: 'Registered.', schema: RegisterWorkflowResponse },
      400: { description: 'Not valid; details.errors lists path, nodeId and message.' },
      409: { description: 'The version is taken by another definition.' },
    },
    async handle(request) {
      const definition = request.body as unknown as WorkflowDefinition;
      const tenantId = tenantFor(callerOf(request), definition.tenantId);
      const { workflow, created, warnings } = await workflows.register(definition, tenantId);
      const { workflowId, version, digest, registeredAt } = workflow;
      const body: RegisterWorkflowResponse = {
        workflowId,
        version,
        digest,
        registeredAt,
        created,
        ...(warnings.length === 0 ? {} : { warnings: warnings.map((warning) => ({ ...warning })) }),
      };
      return { status: created ? 201 : 200, body };
    },
  };
}

/** Looks in the caller's own tenant first, then in the others it may act for. */
function visible(
  workflows: WorkflowService,
  caller: Principal,
  workflowId: string,
  version: string | undefined,
): StoredWorkflow | undefined {
  for (const tenantId of new Set([caller.tenantId, ...caller.tenantIds])) {
    const found = workflows.get(workflowId, tenantId, version);
    if (found) return found;
  }
  return undefined;
}

function summary({ workflowId, version, digest, registeredAt, definition }: StoredWorkflow): WorkflowSummary {
  const { name, description } = definition;
  return {
    workflowId,
    version,
    digest,
    registeredAt,
    name,
    ...(description === undefined ? {} : { description }),
  };
}
