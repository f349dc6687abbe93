/** Responses as the store keeps them, and what becomes of a key after each outcome (HTTP §8.4). */
import { WoprError } from '../../kernel/errors.ts';
import type { RouteResponse } from '../../kernel/plugin/points/http.ts';

export const REPLAY_HEADER = 'openwop-Idempotent-Replay';

export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: 'json' | 'text' | 'none';
  readonly body: string;
}

/**
 * `final`: stored and replayed. `release`: the key is free again, as if never used. `retry`: the key stays bound to the body and to the
 * reserved run, but the next request with it executes again.
 */
export type Fate = 'final' | 'release' | 'retry';

const RELEASED: ReadonlySet<number> = new Set([400, 401, 403]);

/** What a thrown error does to the key. Whatever may succeed later is retried, `run_already_active` among it. */
export function fateOfError(error: unknown): Fate {
  if (!(error instanceof WoprError)) return 'retry';
  const { status, retry } = error.entry;
  if (status === null || retry === 'after-delay') return 'retry';
  return fateOfStatus(status);
}

export function fateOfStatus(status: number): Fate {
  if (RELEASED.has(status)) return 'release';
  if (status === 408 || status === 429 || status >= 500) return 'retry';
  return 'final';
}

/** A final error as the response the client gets, now and whenever it is replayed. */
export function errorResponse(error: WoprError): RouteResponse {
  const { code, message, details, entry } = error;
  return {
    status: entry.status ?? 500,
    body: { error: code, message, ...(details === undefined ? {} : { details }) },
  };
}

/** Null for what cannot be stored: a stream. */
export function toStored(response: RouteResponse): StoredResponse | null {
  if (response.stream !== undefined) return null;
  const headers = Object.entries(response.headers ?? {}).filter(
    ([name]) => name.toLowerCase() !== 'set-cookie',
  );
  const shared = { status: response.status, headers: Object.fromEntries(headers) };
  const json = response.json ?? (response.body === undefined ? undefined : JSON.stringify(response.body));
  if (json !== undefined) return { ...shared, form: 'json', body: json };
  return { ...shared, form: response.text === undefined ? 'none' : 'text', body: response.text ?? '' };
}

export function fromStored({ status, headers, form, body }: StoredResponse, replay: boolean): RouteResponse {
  return {
    status,
    headers: { ...headers, [REPLAY_HEADER]: String(replay) },
    ...(form === 'json' ? { json: body } : {}),
    ...(form === 'text' ? { text: body } : {}),
  };
}
