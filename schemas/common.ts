// Fragments shared by several wire definitions: identifiers, times, error objects.
import { type Static, Type } from 'typebox';
import { type Annotations, closed, oneOf, open } from './build.ts';
import { AnyObject } from './json.ts';

export const nonEmpty = (annotations: Annotations = {}) => Type.String({ minLength: 1, ...annotations });
export const bounded = (min: number, max: number, annotations: Annotations = {}) =>
  Type.String({ minLength: min, maxLength: max, ...annotations });
export const count = (minimum = 0, annotations: Annotations = {}) =>
  Type.Integer({ minimum, ...annotations });

/** Ids on the event envelope and snapshot (run events §4.1). */
export const Id128 = bounded(1, 128);
/** Node ids inside a payload carry no upper bound; only the envelope caps them (run events §1.2). */
export const NodeId = nonEmpty();
export const AgentId = bounded(3, 256, { description: 'Opaque agent identifier.' });
export const DateTime = Type.String({ format: 'date-time' });
export const DurationMs = count(0, { description: 'Milliseconds.' });

/** Tags on runs and definitions: at most 100 of 1..256 characters (HTTP §13.5). */
export const Tags = Type.Array(bounded(1, 256), { maxItems: 100 });

export const MASKING_MODES = ['mask', 'omit', 'hash', 'passthrough'] as const;
export const MaskingMode = oneOf(MASKING_MODES);
export type MaskingMode = Static<typeof MaskingMode>;
export const COMPLIANCE_CLASSES = ['public', 'pii', 'phi', 'pci', 'regulated'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const LogLevel = oneOf(LOG_LEVELS);
export type LogLevel = Static<typeof LogLevel>;
export const DRAIN_POLICIES = ['immediate', 'drain-current-node'] as const;
export const DrainPolicy = oneOf(DRAIN_POLICIES);
export type DrainPolicy = Static<typeof DrainPolicy>;

/** Reducers of a channel; a host may add `vendor.<org>.<name>` (run events §6.1). */
export const REDUCERS = ['replace', 'append', 'merge', 'counter', 'votes', 'feedback', 'message'] as const;
export const ReducerName = Type.String({
  pattern: `^(${REDUCERS.join('|')}|vendor\\.[a-z][a-z0-9_-]*\\.[a-z][a-z0-9_-]*)$`,
  description: `One of ${REDUCERS.join(', ')}, or vendor.<org>.<name>.`,
});

/** The error of a node attempt or run as events carry it (run events §4.5). */
export const EventError = open(
  {
    code: nonEmpty(),
    message: nonEmpty(),
    details: Type.Optional(AnyObject),
    retryable: Type.Optional(Type.Boolean()),
  },
  { title: 'EventError', description: 'Error recorded on an event.' },
);
export type EventError = Static<typeof EventError>;

/** The error on a snapshot: closed, so `retryable` must be dropped when projecting (run events §5). */
export const RunError = closed(
  { code: nonEmpty(), message: nonEmpty(), details: Type.Optional(AnyObject) },
  { title: 'RunError', description: 'Why the run failed.' },
);
export type RunError = Static<typeof RunError>;
