// POST /v1/runs/{runId}/cancel (HTTP §5.5).
import { type Static, Type } from 'typebox';
import { closed, oneOf } from './build.ts';
import { Id128 } from './common.ts';

export const CancelRunRequest = closed(
  { reason: Type.Optional(Type.String()) },
  { title: 'CancelRunRequest', description: 'Stops a run; the body may be absent.' },
);
export type CancelRunRequest = Static<typeof CancelRunRequest>;

/** Cancelling a finished run succeeds and reports the status the run already has. */
export const CancelRunResponse = closed(
  { runId: Id128, status: oneOf(['cancelled', 'cancelling', 'completed', 'failed']) },
  { title: 'CancelRunResponse' },
);
export type CancelRunResponse = Static<typeof CancelRunResponse>;
