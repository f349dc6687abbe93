// Reading events over HTTP: query parameters of stream and poll, and the JSON answer (HTTP §2.4, §5.3, §5.4).
import { type Static, Type } from 'typebox';
import { closed, open } from './build.ts';
import { count } from './common.ts';
import { RunEventDoc } from './run-event.ts';

/** Stream modes a client can name; `values` only alone, the others also as a comma list. */
export const STREAM_MODES = ['values', 'updates', 'messages', 'debug'] as const;
export type StreamMode = (typeof STREAM_MODES)[number];

const modeName = `(${STREAM_MODES.join('|')})`;

/** Open: unknown query parameters are ignored. Values are those after number coercion. */
export const StreamQuery = open(
  {
    streamMode: Type.Optional(Type.String({ default: 'updates', pattern: `^${modeName}(,${modeName})*$` })),
    bufferMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 5000, description: 'Batching window; 0 is off.' }),
    ),
  },
  { title: 'StreamQuery' },
);
export type StreamQuery = Static<typeof StreamQuery>;

export const PollQuery = open(
  {
    lastSequence: Type.Optional(count(0, { description: 'Exclusive; absent reads from the start.' })),
    timeout: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 60, default: 30, description: 'Seconds to wait for events.' }),
    ),
  },
  { title: 'PollQuery' },
);
export type PollQuery = Static<typeof PollQuery>;

export const EventPage = closed(
  {
    events: Type.Array(RunEventDoc),
    isComplete: Type.Boolean({ description: 'The run is over and nothing follows.' }),
  },
  { title: 'EventPage', description: 'Events in log order.' },
);
export type EventPage = Static<typeof EventPage>;
