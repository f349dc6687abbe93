// The event envelope: what the log stores and every reading surface returns (run events §4.1).
import { type Static, Type } from 'typebox';
import { closed, oneOf } from './build.ts';
import { count, DateTime, Id128 } from './common.ts';
import { RUN_EVENT_TYPES } from './event-types.ts';
import { AnyJson } from './json.ts';

/** Payloads have their own schemas, chosen by `type`: see `payloads/index.ts`. */
export const RunEventDoc = closed(
  {
    eventId: Type.String({ minLength: 1, maxLength: 128, description: 'Globally unique and opaque.' }),
    runId: Id128,
    type: oneOf(RUN_EVENT_TYPES),
    payload: AnyJson,
    timestamp: DateTime,
    sequence: count(0, { description: 'Position in the run, contiguous from 0.' }),
    nodeId: Type.Optional(Id128),
    schemaVersion: Type.Optional(count(0, { description: 'Version of the payload shape.' })),
    engineVersion: Type.Optional(Type.String({ description: 'Engine version as a decimal string.' })),
    causationId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'eventId of the causing event.' }),
    ),
  },
  { title: 'RunEvent', description: 'One event of a run.' },
);
export type RunEventDoc = Static<typeof RunEventDoc>;
