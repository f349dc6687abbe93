// POST /v1/runs/{runId}:pause and :resume (HTTP §5.7, run events §11).
import { type Static, Type } from 'typebox';
import { closed } from './build.ts';
import { DateTime, DrainPolicy, Id128 } from './common.ts';

export const PauseRunRequest = closed(
  { reason: Type.Optional(Type.String()), drainPolicy: Type.Optional(DrainPolicy) },
  { title: 'PauseRunRequest', description: 'Default drain policy: drain-current-node.' },
);
export type PauseRunRequest = Static<typeof PauseRunRequest>;

export const PauseRunResponse = closed(
  { runId: Id128, status: Type.Literal('paused'), pausedAt: Type.Optional(DateTime) },
  { title: 'PauseRunResponse' },
);
export type PauseRunResponse = Static<typeof PauseRunResponse>;

export const ResumeRunRequest = closed(
  { reason: Type.Optional(Type.String()) },
  { title: 'ResumeRunRequest' },
);
export type ResumeRunRequest = Static<typeof ResumeRunRequest>;

export const ResumeRunResponse = closed(
  { runId: Id128, status: Type.Literal('running'), resumedAt: Type.Optional(DateTime) },
  { title: 'ResumeRunResponse' },
);
export type ResumeRunResponse = Static<typeof ResumeRunResponse>;
