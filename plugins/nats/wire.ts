/** The messages between hosts and workers, as JSON: work, outcomes, cancellations. Whatever arrives is checked. */
import type { Invocation, Outcome } from '../../kernel/dispatch/types.ts';

/** Changes when workers of the previous form could misread a message; they then dead-letter it instead. */
const VERSION = 1;

export interface Work {
  readonly invocation: Invocation;
  /** Subject on which the dispatching host takes the outcome. */
  readonly replyTo: string;
}

/** One finished invocation. Workers send several in one message. */
export interface Result {
  readonly key: string;
  /** Not checked yet. */
  readonly outcome: unknown;
}

/**
 * Answer of a host to each result. `dropped`: it wants none, as the invocation has ended; the worker is done all the same. `unknown`: it is
 * not its business.
 */
export type Receipt = 'accepted' | 'dropped' | 'unknown';

const TEXTS = ['invocationId', 'runId', 'tenantId', 'workflowId', 'nodeId', 'typeId'] as const;
const NUMBERS = ['execution', 'attempt', 'iteration', 'startedAt', 'now'] as const;
const OBJECTS = ['config', 'inputs', 'configurable'] as const;

export function encodeWork({ invocation, replyTo }: Work): string {
  return JSON.stringify({ version: VERSION, replyTo, invocation });
}

/** Throws an error that says what is wrong when the message is none this build understands. */
export function decodeWork(text: string): Work {
  const work = fieldsOf(JSON.parse(text), 'the message');
  if (work.version !== VERSION) throw new Error(`version ${String(work.version)} is not ${VERSION}`);
  if (typeof work.replyTo !== 'string') throw new Error('replyTo is not text');
  const invocation = fieldsOf(work.invocation, 'invocation');
  for (const name of TEXTS)
    if (typeof invocation[name] !== 'string') throw new Error(`invocation.${name} is not text`);
  for (const name of NUMBERS)
    if (!Number.isFinite(invocation[name])) throw new Error(`invocation.${name} is not a number`);
  for (const name of OBJECTS) fieldsOf(invocation[name], `invocation.${name}`);
  if (invocation.deadline !== undefined && !Number.isFinite(invocation.deadline))
    throw new Error('invocation.deadline is not a number');
  return { replyTo: work.replyTo, invocation: invocation as unknown as Invocation };
}

/** One result as text; `joinResults` makes a message of several. */
export function encodeResult(key: string, outcome: Outcome): string {
  return JSON.stringify({ key, outcome });
}

export const joinResults = (results: readonly string[]): string => `[${results.join(',')}]`;

/** Throws an error that says what is wrong when the message holds no results. */
export function decodeResults(text: string): Result[] {
  return listOf(JSON.parse(text)).map((result) => {
    const { key, outcome } = fieldsOf(result, 'the result');
    if (typeof key !== 'string') throw new Error('key is not text');
    return { key, outcome };
  });
}

/** In the order of the results. Anything else in their place is `unknown`. */
export function decodeReceipts(text: string): Receipt[] {
  return listOf(JSON.parse(text)).map((receipt) =>
    receipt === 'accepted' || receipt === 'dropped' ? receipt : 'unknown',
  );
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error('the message is not a list');
  return value;
}

function fieldsOf(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${place} is not an object`);
  return value as Record<string, unknown>;
}
