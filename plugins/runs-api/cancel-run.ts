/** POST /v1/runs/{runId}/cancel and its alias /v1/runs/{runId}:cancel (HTTP §5.5, run events §11.3). */
import type { Route } from '../../kernel/plugin/points/http.ts';
import type { RunService } from '../../kernel/runs/types.ts';
import { CancelRunRequest, CancelRunResponse } from '../../schemas/cancel.ts';
import { callerOf, visibleRun } from './contract.ts';
import { RunParams } from './read-runs.ts';

export function cancelRunRoutes(runs: RunService): readonly Route[] {
  const canonical: Route = {
    method: 'POST',
    path: '/v1/runs/{runId}/cancel',
    operationId: 'cancelRun',
    summary: 'Cancel a run',
    tags: ['runs'],
    scopes: ['runs:cancel'],
    params: RunParams,
    body: CancelRunRequest,
    bodyOptional: true,
    responses: {
      200: {
        description: 'Cancelled, being cancelled, or the status the run had ended with.',
        schema: CancelRunResponse,
      },
      404: { description: 'No such run is visible to this key.' },
    },
    async handle(request) {
      const caller = callerOf(request);
      const { runId, tenantId } = visibleRun(runs, caller, request.params.runId ?? '');
      const { reason } = (request.body ?? {}) as CancelRunRequest;
      const status = await runs.cancel(runId, tenantId, caller.keyId, reason);
      return { status: 200, body: { runId, status } };
    },
  };
  const alias: Route = {
    ...canonical,
    path: '/v1/runs/{runId}:cancel',
    operationId: 'cancelRunAlias',
    summary: 'Cancel a run (alias of /cancel)',
  };
  return [canonical, alias];
}
