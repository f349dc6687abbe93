/** POST /v1/runs (HTTP §5.1). */
import { WoprError } from '../../kernel/errors.ts';
import type { RunOptions } from '../../kernel/log/types.ts';
import type { Principal, Route, RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { CreateRun, RunService } from '../../kernel/runs/types.ts';
import { CREATED_RUN_STATUSES, CreateRunRequest, CreateRunResponse } from '../../schemas/create-run.ts';
import type { JsonObject } from '../../schemas/json.ts';
import { metadataProblem } from '../../schemas/run-options.ts';
import { reservedRunId } from '../idempotency/contract.ts';
import { checkAi, type OfferedProviders } from './configurable.ts';
import { callerOf, tenantFor } from './contract.ts';
import { forcedEngineVersion } from './header-gates.ts';

export interface CreateRunOptions {
  readonly runs: RunService;
  readonly bodyLimitBytes: number;
  /** Read on every use. */
  readonly providers: () => OfferedProviders;
  /** Told when `X-Dedup` refused a run. */
  readonly onConflict: (tenantId: string) => void;
}

export function createRunRoute({ runs, bodyLimitBytes, providers, onConflict }: CreateRunOptions): Route {
  return {
    method: 'POST',
    path: '/v1/runs',
    operationId: 'createRun',
    summary: 'Start a run of a workflow',
    tags: ['runs'],
    scopes: ['runs:create'],
    body: CreateRunRequest,
    bodyLimit: bodyLimitBytes,
    responses: {
      201: { description: 'The run is stored and starts.', schema: CreateRunResponse },
      409: {
        description: 'Another run holds this tenant and scope (X-Dedup), or the Idempotency-Key is in use.',
      },
      503: { description: 'Too many live runs; see Retry-After.' },
    },
    async handle(request) {
      const caller = callerOf(request);
      const wanted = toCreateRun(request, caller, providers);
      try {
        const { runId, status } = await runs.create(wanted);
        return created(request, runId, status);
      } catch (error) {
        if (error instanceof WoprError && error.code === 'run_already_active') {
          onConflict(wanted.tenantId);
          logConflict(request, wanted, error);
        }
        throw error;
      }
    },
  };
}

/** The checks no schema can make, in the order of HTTP §4. The body has passed its schema. */
function toCreateRun(request: RouteRequest, caller: Principal, providers: () => OfferedProviders): CreateRun {
  const body = request.body as unknown as CreateRunRequest;
  const forced = forcedEngineVersion(request, caller);
  const configurable = body.configurable as JsonObject | undefined;
  if (configurable) checkAi(configurable, providers);
  const problem = body.metadata === undefined ? null : metadataProblem(body.metadata);
  if (problem !== null) throw invalid('/metadata', problem);
  const tenantId = tenantFor(caller, body.tenantId);
  const dedup = wantsDedup(request, body.scopeId);
  const runId = reservedRunId(request);
  const options: RunOptions = {
    ...(configurable === undefined ? {} : { configurable }),
    ...(body.tags === undefined ? {} : { tags: body.tags }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
    ...(body.callbackUrl === undefined ? {} : { callbackUrl: body.callbackUrl }),
  };
  return {
    tenantId,
    workflowId: body.workflowId,
    inputs: body.inputs ?? {},
    ...(body.scopeId === undefined ? {} : { scopeId: body.scopeId }),
    options,
    dedup,
    test: caller.test,
    ...(forced === undefined ? {} : { forcedEngineVersion: forced }),
    ...(runId === undefined ? {} : { runId }),
    transport: 'rest',
  };
}

/** `X-Dedup` knows one value, and needs the scope that forms the pair with the tenant (HTTP §9). */
function wantsDedup(request: RouteRequest, scopeId: string | undefined): boolean {
  const header = request.headers['x-dedup'];
  if (header === undefined) return false;
  if (header !== 'enforce') throw invalid('/x-dedup', 'The only value of X-Dedup is "enforce"', 'header');
  if (!scopeId) throw invalid('/scopeId', 'X-Dedup: enforce needs a scopeId');
  return true;
}

const STATUSES: ReadonlySet<string> = new Set(CREATED_RUN_STATUSES);

/** A keyed retry may find a run that has gone on meanwhile; it is answered like the first request was. */
function created(request: RouteRequest, runId: string, status: string): RouteResponse {
  const statusUrl = `${request.baseUrl}/v1/runs/${encodeURIComponent(runId)}`;
  const body: CreateRunResponse = {
    runId,
    status: STATUSES.has(status) ? (status as CreateRunResponse['status']) : 'pending',
    eventsUrl: `${statusUrl}/events`,
    statusUrl,
  };
  return { status: 201, body };
}

function logConflict(request: RouteRequest, { scopeId, transport }: CreateRun, { details }: WoprError): void {
  request.log.warn(
    {
      metricKind: 'openwop.run.claim.conflict',
      transport,
      projectId: scopeId,
      activeRunId: details?.activeRunId,
      activeHost: details?.activeHost,
      retryAfterSeconds: details?.retryAfter,
    },
    'X-Dedup refused a second active run',
  );
}

const invalid = (path: string, message: string, place: 'body' | 'header' = 'body') =>
  new WoprError('validation_error', `${message}.`, {
    details: { errors: [{ in: place, path, message: `${message}.` }] },
  });
