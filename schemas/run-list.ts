// GET /v1/runs: a host extension that lists runs, newest first, filterable by tag (HTTP §13.5).
import { type Static, Type } from 'typebox';
import { closed, open } from './build.ts';
import { DateTime, Id128, nonEmpty, RunError, Tags } from './common.ts';
import { RunStatus } from './run-snapshot.ts';

export const RunSummary = open(
  {
    runId: Id128,
    workflowId: nonEmpty(),
    status: RunStatus,
    createdAt: DateTime,
    startedAt: Type.Optional(DateTime),
    completedAt: Type.Optional(DateTime),
    currentNodeId: Type.Optional(nonEmpty()),
    error: Type.Optional(RunError),
    tags: Type.Optional(Tags),
    parentRunId: Type.Optional(Id128),
    sourceRunId: Type.Optional(Id128),
  },
  { title: 'RunSummary' },
);
export type RunSummary = Static<typeof RunSummary>;

export const RunListQuery = open(
  {
    workflowId: Type.Optional(nonEmpty()),
    status: Type.Optional(RunStatus),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ minLength: 1, description: 'nextCursor of the page before.' })),
  },
  { title: 'RunListQuery' },
);
export type RunListQuery = Static<typeof RunListQuery>;

export const RunList = closed(
  { runs: Type.Array(RunSummary), nextCursor: Type.Optional(nonEmpty()) },
  { title: 'RunList' },
);
export type RunList = Static<typeof RunList>;
