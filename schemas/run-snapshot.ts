// RunSnapshot: the projection of a run's log (run events §5).
import { type Static, Type } from 'typebox';
import { AgentRef } from './agent-ref.ts';
import { closed, mapOf, oneOf, open } from './build.ts';
import { count, DateTime, Id128, nonEmpty, RunError, Tags } from './common.ts';
import { AnyJson, AnyObject } from './json.ts';
import { RUN_STATUSES } from './run-status.ts';

export const RunStatus = oneOf(RUN_STATUSES, { title: 'RunStatus' });
export type RunStatus = Static<typeof RunStatus>;

/** Absent numbers mean "unknown", not zero. */
export const CostRollup = closed(
  {
    usd: Type.Optional(Type.Number({ minimum: 0 })),
    tokens: Type.Optional(closed({ input: Type.Optional(count()), output: Type.Optional(count()) })),
    model: Type.Optional(Type.String()),
    provider: Type.Optional(Type.String()),
    duration_ms: Type.Optional(count()),
  },
  { title: 'CostRollup', description: 'Cost of the AI calls of a run.' },
);
export type CostRollup = Static<typeof CostRollup>;

/** Present only while suspended; the token only for kinds meant for callbacks (interrupts §1.4). */
export const SnapshotInterrupt = open(
  {
    interruptId: Type.Optional(nonEmpty()),
    nodeId: Type.Optional(nonEmpty()),
    kind: Type.Optional(nonEmpty()),
    interruptToken: Type.Optional(nonEmpty()),
    callbackUrl: Type.Optional(Type.String({ format: 'uri' })),
    payload: Type.Optional(AnyJson),
    votes: Type.Optional(Type.Array(AnyObject)),
  },
  { title: 'SnapshotInterrupt', description: 'The interrupt the run waits for.' },
);
export type SnapshotInterrupt = Static<typeof SnapshotInterrupt>;

export const ChildRun = open({ runId: Id128, status: RunStatus }, { title: 'ChildRun' });
export type ChildRun = Static<typeof ChildRun>;

export const RunSnapshot = open(
  {
    runId: Id128,
    workflowId: nonEmpty(),
    status: RunStatus,
    currentNodeId: Type.Optional(Type.String({ description: 'Node holding the interrupt while waiting.' })),
    startedAt: Type.Optional(DateTime),
    completedAt: Type.Optional(DateTime),
    variables: Type.Optional(AnyObject),
    channels: Type.Optional(AnyObject),
    nodeStates: Type.Optional(mapOf(AnyObject)),
    error: Type.Optional(RunError),
    engineVersion: Type.Optional(Type.String({ description: 'Decimal string.' })),
    eventLogSchemaVersion: Type.Optional(count()),
    tags: Type.Optional(Tags),
    metadata: Type.Optional(AnyObject),
    configurable: Type.Optional(AnyObject),
    agent: Type.Optional(AgentRef),
    runOrchestrator: Type.Optional(AgentRef),
    metrics: Type.Optional(open({ openwopCost: Type.Optional(CostRollup) })),
    outputs: Type.Optional(AnyObject),
    interrupt: Type.Optional(SnapshotInterrupt),
    childRuns: Type.Optional(Type.Array(ChildRun)),
    parentRunId: Type.Optional(Id128),
    parentNodeId: Type.Optional(nonEmpty()),
    childDepth: Type.Optional(count()),
    sourceRunId: Type.Optional(Type.String({ description: 'Run this one was forked from.' })),
    forkMode: Type.Optional(oneOf(['replay', 'branch'])),
    fromSeq: Type.Optional(count()),
    atSeq: Type.Optional(count(0, { description: 'Sequence a streamed snapshot reflects.' })),
  },
  { title: 'RunSnapshot', description: 'Current state of a run.' },
);
export type RunSnapshot = Static<typeof RunSnapshot>;
