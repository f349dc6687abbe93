// POST /v1/runs/{runId}:fork (HTTP §5.6, run events §12.1).
import { type Static, Type } from 'typebox';
import { closed, oneOf, taggedUnion } from './build.ts';
import { count, Id128 } from './common.ts';
import { RunOptions } from './run-options.ts';
import { RunStatus } from './run-snapshot.ts';

export const FORK_MODES = ['replay', 'branch'] as const;
export type ForkMode = (typeof FORK_MODES)[number];

const fromSeq = count(0, { description: 'First sequence that is executed again.' });

/**
 * A replay keeps the options of its source, so only an empty overlay is legal there, and it may leave
 * `fromSeq` out to start at 0 (run events §17 X29). A branch has to say where it leaves the source.
 */
export const ForkRunRequest = taggedUnion(
  'mode',
  [
    closed({
      mode: Type.Literal('replay'),
      fromSeq: Type.Optional(fromSeq),
      runOptionsOverlay: Type.Optional(closed({})),
    }),
    closed({
      mode: Type.Literal('branch'),
      fromSeq,
      runOptionsOverlay: Type.Optional(RunOptions),
    }),
  ],
  { title: 'ForkRunRequest', description: 'Starts a new run from a point of an existing one.' },
);
export type ForkRunRequest = Static<typeof ForkRunRequest>;

export const ForkRunResponse = closed(
  {
    runId: Id128,
    sourceRunId: Id128,
    mode: oneOf(FORK_MODES),
    status: RunStatus,
    eventsUrl: Type.String({ format: 'uri' }),
    fromSeq: Type.Optional(count()),
  },
  { title: 'ForkRunResponse' },
);
export type ForkRunResponse = Static<typeof ForkRunResponse>;
