// Resolving an interrupt, by run and node or by signed token (HTTP §5.8, interrupts §2).
import { type Static, Type } from 'typebox';
import { closed, open } from './build.ts';
import { Id128, nonEmpty } from './common.ts';
import { AnyJson } from './json.ts';
import { RunStatus } from './run-snapshot.ts';

export const ResolveInterruptRequest = closed(
  { resumeValue: AnyJson },
  { title: 'ResolveInterruptRequest', description: 'The answer the node waits for.' },
);
export type ResolveInterruptRequest = Static<typeof ResolveInterruptRequest>;

export const ResolveInterruptResponse = open(
  {
    runId: Type.Optional(Id128),
    nodeId: Type.Optional(nonEmpty()),
    status: Type.Optional(RunStatus),
  },
  { title: 'ResolveInterruptResponse' },
);
export type ResolveInterruptResponse = Static<typeof ResolveInterruptResponse>;
