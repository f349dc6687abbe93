/** Every failure as the closed envelope of HTTP §6: code, message, details, and the headers that belong to it. */
import { ERROR_CATALOGUE, type ErrorCode, WoprError } from '../../kernel/errors.ts';
import type { RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { JsonObject } from '../../schemas/json.ts';

/** Seconds announced when whoever refused did not say. */
const DEFAULT_RETRY_SECONDS = 1;

/** A failure on its way out; `unexpected` ones must be logged with their cause, which the client does not see. */
export interface Failure {
  readonly response: RouteResponse;
  readonly code: ErrorCode;
  readonly unexpected: boolean;
}

/** Turns anything thrown into a response. `correlationId` appears in 5xx answers only (HTTP §6.1). */
export function failure(error: unknown, correlationId: string): Failure {
  const known = error instanceof WoprError && error.entry.status !== null ? error : undefined;
  const code = known?.code ?? 'internal_error';
  const status = known?.entry.status ?? ERROR_CATALOGUE.internal_error.status;
  // A code that is no response of its own (a run's failure, say) has no business here: its text may be meant for operators only.
  const message = known?.message || ERROR_CATALOGUE[code].hint;
  const details: JsonObject = { ...known?.details };
  const headers: Record<string, string> = {};

  const retryAfter = secondsToWait(code, status, known?.retryAfterSeconds);
  if (retryAfter !== undefined) {
    headers['retry-after'] = String(retryAfter);
    if (status === 429) details.retryAfterMs ??= retryAfter * 1000;
    else details.retryAfter = retryAfter;
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (Array.isArray(details.allow)) headers.allow = details.allow.join(', ');
  if (status >= 500) details.correlationId = correlationId;

  return {
    code,
    unexpected: code === 'internal_error',
    response: { status, headers, json: envelope(code, message, details) },
  };
}

/** The closed envelope as JSON text (HTTP §6.1). */
export function envelope(code: ErrorCode, message: string, details: JsonObject = {}): string {
  return JSON.stringify(
    Object.keys(details).length === 0 ? { error: code, message } : { error: code, message, details },
  );
}

/** 429 and 503 must say when to come back (HTTP §10); others only if they know. */
function secondsToWait(code: ErrorCode, status: number, given: number | undefined): number | undefined {
  if (status === 429 || status === 503) return Math.max(1, Math.ceil(given ?? DEFAULT_RETRY_SECONDS));
  if (given === undefined || ERROR_CATALOGUE[code].retry !== 'after-delay') return undefined;
  return Math.max(1, Math.ceil(given));
}
