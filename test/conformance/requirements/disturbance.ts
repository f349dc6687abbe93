/** Runs under disturbance: cancelled, many at once, or left behind by a host that died. */
import type { Requirement } from './types.ts';

export const DISTURBANCE_REQUIREMENTS = [
  {
    id: 'run.cancel.answer',
    level: 'MUST',
    text: 'Cancel is answered with 200, the runId, and the status cancelled or cancelling.',
    source: 'HTTP §5.5',
  },
  {
    id: 'run.cancel.in-time',
    level: 'MUST',
    text: 'The run is cancelled within five seconds.',
    source: 'run events §3.6',
  },
  {
    id: 'run.cancel.events',
    level: 'MUST',
    text: 'The log ends with run.cancelled, and the work in progress completes no more.',
    source: 'run events §11.3',
  },
  {
    id: 'run.cancel.node-event',
    level: 'SHOULD',
    text: 'The node in progress is reported as node.cancelled.',
    source: 'run events §4.3',
  },
  {
    id: 'run.cancel.reason',
    level: 'SHOULD',
    text: 'The given reason is kept on run.cancelled.',
    source: 'run events §4.5',
  },
  {
    id: 'run.cancel.final',
    level: 'MUST',
    text: 'Nothing is appended after a cancellation.',
    source: 'run events §3.2',
  },
  {
    id: 'run.cancel.terminal',
    level: 'MUST',
    text: 'Cancelling a terminal run is answered with 200 and its existing status, and changes nothing.',
    source: 'HTTP §5.5',
  },
  {
    id: 'run.cancel.unknown',
    level: 'MUST',
    text: 'Cancelling an unknown run is answered with 404 or 403.',
    source: 'HTTP §5.5',
  },
  { id: 'run.cancel.no-body', level: 'MUST', text: 'A cancel request needs no body.', source: 'HTTP §5.5' },
  {
    id: 'run.cancel.once',
    level: 'MUST',
    text: 'Several cancels at once give one run.cancelled.',
    source: 'run events §3.2',
  },
  {
    id: 'run.cancel.alias',
    level: 'SHOULD',
    text: 'The colon form of cancel is served too.',
    source: 'run events §11.3',
  },

  {
    id: 'run.concurrent.accepted',
    level: 'MUST',
    text: 'Runs created at the same time get distinct ids.',
    source: 'run events §4.2',
  },
  {
    id: 'run.concurrent.complete',
    level: 'MUST',
    text: 'All of them reach completed.',
    source: 'run events §4.2',
  },
  {
    id: 'run.concurrent.isolated',
    level: 'MUST',
    text: 'Each has its own contiguous log and none has an event of another.',
    source: 'run events §4.2',
  },
  {
    id: 'run.concurrent.own-data',
    level: 'MUST',
    text: 'Each sees its own inputs only.',
    source: 'run events §4.2',
  },

  {
    id: 'claim.visible',
    level: 'MUST',
    text: 'After a crash another process on the same store, with another key of the tenant, sees the run.',
    source: 'run events §13',
  },
  {
    id: 'claim.recovers',
    level: 'MUST',
    text: 'It takes the stale claim over and completes the run within fifteen seconds.',
    source: 'run events §13',
  },
  {
    id: 'claim.log-continues',
    level: 'MUST',
    text: 'The log goes on with its numbering, starts once, ends once and completes no node twice.',
    source: 'run events §13',
  },
  {
    id: 'claim.resumed-event',
    level: 'SHOULD',
    text: 'The takeover is recorded as run.resumed.',
    source: 'run events §3.2',
  },
] as const satisfies readonly Requirement[];
