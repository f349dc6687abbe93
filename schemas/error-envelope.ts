// The body of every HTTP error (HTTP §6.1).
import { type Static, Type } from 'typebox';
import { closed } from './build.ts';
import { nonEmpty } from './common.ts';
import { AnyObject } from './json.ts';

/** Closed on purpose: retry hints, field paths and correlation ids all belong into `details`. */
export const ErrorEnvelope = closed(
  {
    error: nonEmpty({ description: 'Machine-readable code, snake_case.' }),
    message: nonEmpty({ description: 'Text for people.' }),
    details: Type.Optional(AnyObject),
  },
  { title: 'ErrorEnvelope', description: 'Error response.' },
);
export type ErrorEnvelope = Static<typeof ErrorEnvelope>;
