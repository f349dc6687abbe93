/** GET /v1/runs/{runId} (HTTP §5.2), and the host extension GET /v1/runs. */
import { Type } from 'typebox';
import { WoprError } from '../../kernel/errors.ts';
import type { RunRecord } from '../../kernel/log/types.ts';
import type { Route, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { RunService } from '../../kernel/runs/types.ts';
import { Id128 } from '../../schemas/common.ts';
import { RunList, RunListQuery, type RunSummary } from '../../schemas/run-list.ts';
import { RunSnapshot } from '../../schemas/run-snapshot.ts';
import { callerOf, visibleRun } from './contract.ts';

export const RunParams = Type.Object({ runId: Id128 });

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200;

export function getRunRoute(runs: RunService): Route {
  return {
    method: 'GET',
    path: '/v1/runs/{runId}',
    operationId: 'getRun',
    summary: 'Read the current state of a run',
    tags: ['runs'],
    scopes: ['runs:read'],
    params: RunParams,
    responses: {
      200: { description: 'The run as its event log stands.', schema: RunSnapshot },
      404: { description: 'No such run is visible to this key.' },
      410: { description: 'Retention removed the run.' },
    },
    handle(request) {
      const { runId, tenantId } = visibleRun(runs, callerOf(request), request.params.runId ?? '');
      return { status: 200, json: runs.snapshotJson(runId, tenantId) };
    },
  };
}

export function listRunsRoute(runs: RunService): Route {
  return {
    method: 'GET',
    path: '/v1/runs',
    operationId: 'listRuns',
    summary: 'List runs of the tenant, newest first (host extension)',
    tags: ['runs'],
    scopes: ['runs:read'],
    query: RunListQuery,
    responses: { 200: { description: 'A page of runs.', schema: RunList } },
    handle(request) {
      const { tenantId, test } = callerOf(request);
      const limit = pageSize(request);
      const { workflowId, status, tag, cursor } = singles(request);
      const page = runs.list({
        tenantId,
        ...(workflowId === undefined ? {} : { workflowId }),
        ...(status === undefined ? {} : { status: [status as RunSummary['status']] }),
        ...(tag === undefined ? {} : { tag }),
        ...(cursor === undefined ? {} : { before: cursor }),
        limit,
      });
      const last = page.at(-1);
      const body: RunList = {
        // Live and test keys do not see each other's runs (HTTP §7.3); a page may therefore be short of `limit`.
        runs: page.filter((run) => run.test === test).map(summary),
        ...(last !== undefined && page.length === limit ? { nextCursor: last.runId } : {}),
      };
      return { status: 200, body };
    },
  };
}

function pageSize(request: RouteRequest): number {
  const { limit } = singles(request);
  if (limit === undefined) return DEFAULT_PAGE;
  const size = Number(limit);
  if (Number.isInteger(size) && size >= 1 && size <= LARGEST_PAGE) return size;
  throw new WoprError('validation_error', `limit must be an integer from 1 to ${LARGEST_PAGE}.`, {
    details: {
      errors: [{ in: 'query', path: '/limit', message: `Must be an integer from 1 to ${LARGEST_PAGE}.` }],
    },
  });
}

/** Query parameters given once; the schema of the route refuses repeated ones. */
function singles(request: RouteRequest): Readonly<Record<string, string | undefined>> {
  return request.query as Readonly<Record<string, string | undefined>>;
}

function summary(run: RunRecord): RunSummary {
  const { startedAt, completedAt, currentNodeId, error } = run;
  return {
    runId: run.runId,
    workflowId: run.workflowId,
    status: run.status,
    createdAt: run.createdAt,
    ...(startedAt === null ? {} : { startedAt }),
    ...(completedAt === null ? {} : { completedAt }),
    ...(currentNodeId === null ? {} : { currentNodeId }),
    ...(error === null ? {} : { error }),
    ...(run.options.tags === undefined ? {} : { tags: [...run.options.tags] }),
  };
}
