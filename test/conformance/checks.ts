/** Assertions that several scenarios make in the same words. */
import { expect } from 'vitest';
import type { WireName } from '../../schemas/registry.ts';
import { problemsOf, validatorFor } from '../../schemas/validators.ts';
import type { Answer } from './client.ts';
import { type RunEvent, TERMINAL_EVENTS } from './runs.ts';

export interface Refusal {
  readonly status: number | readonly number[];
  /** The code, when the protocol names one. */
  readonly code?: string;
}

export interface ErrorBody {
  readonly error: string;
  readonly message: string;
  readonly details?: Record<string, unknown>;
}

/** The answer is a refusal with this status and code, in the closed envelope. Returns the envelope. */
export function expectRefusal(answer: Answer, expected: Refusal): ErrorBody {
  const statuses = typeof expected.status === 'number' ? [expected.status] : expected.status;
  expect(statuses, `status ${answer.status}, body ${answer.text.slice(0, 300)}`).toContain(answer.status);
  const body = expectEnvelope(answer);
  if (expected.code !== undefined) expect(body.error, 'error code').toBe(expected.code);
  return body;
}

/** The body is `{error, message, details?}` and nothing else, as JSON. */
export function expectEnvelope(answer: Answer): ErrorBody {
  expect(mediaType(answer.headers), `content type of the ${answer.status} answer`).toBe('application/json');
  const body = answer.object;
  const keys = Object.keys(body).filter((key) => !['error', 'message', 'details'].includes(key));
  expect(keys, 'top-level keys beyond error, message and details').toEqual([]);
  expect(body.error, 'error').toBeTypeOf('string');
  expect(body.error, 'error').not.toBe('');
  expect(body.message, 'message').toBeTypeOf('string');
  expect(body.message, 'message').not.toBe('');
  if ('details' in body) {
    expect(body.details, 'details').toBeTypeOf('object');
    expect(body.details, 'details').not.toBeNull();
    expect(Array.isArray(body.details), 'details is a list').toBe(false);
  }
  return body as unknown as ErrorBody;
}

/** The value fits the wire definition of that name. */
export function expectValid(name: WireName, value: unknown): void {
  const problems = problemsOf(validatorFor(name, { allErrors: true }), value) ?? [];
  expect(
    problems.map(({ path, message }) => `${path || '/'}: ${message}`),
    name,
  ).toEqual([]);
}

export function mediaType(headers: Headers): string | undefined {
  return headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}

/** Sequences are 0, 1, 2, … without gap or repeat, in the order given. */
export function expectContiguous(events: readonly RunEvent[]): void {
  expect(events.length, 'number of events').toBeGreaterThan(0);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index));
}

/** Exactly one terminal event of the expected type, and nothing after it. */
export function expectSingleEnd(events: readonly RunEvent[], type: string): void {
  const ends = events.filter((event) => TERMINAL_EVENTS.includes(event.type));
  expect(
    ends.map((event) => event.type),
    'terminal events',
  ).toEqual([type]);
  expect(events.at(-1)?.type, 'last event').toBe(type);
}

/** The types appear in this order, possibly with others between them. */
export function expectInOrder(events: readonly RunEvent[], types: readonly string[]): void {
  const found: string[] = [];
  for (const { type } of events) if (type === types[found.length]) found.push(type);
  expect(found, `order of ${types.join(', ')} in ${events.map(({ type }) => type).join(', ')}`).toEqual(
    types,
  );
}
