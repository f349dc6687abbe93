/** For this folder's tests: hosts on one store file, each with a clock the test moves, and requests made by hand. */
import { pino } from 'pino';
import type { WoprError } from '../../kernel/errors.ts';
import type { Store } from '../../kernel/log/index.ts';
import { temporaryStores } from '../../kernel/log/testing.ts';
import type { Principal, Route, RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { JsonValue } from '../../schemas/json.ts';
import { EntryStore, type EntryStoreOptions } from './entry-store.ts';
import { Idempotency, type Outcome } from './middleware.ts';

export const CALLER: Principal = {
  keyId: 'key',
  tenantId: 'acme',
  tenantIds: ['acme'],
  scopes: new Set(),
  test: false,
};

export interface Asked {
  readonly key?: string;
  readonly body?: JsonValue;
  readonly path?: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly caller?: Principal;
  readonly signal?: AbortSignal;
}

export function requestOf(asked: Asked): { readonly request: RouteRequest; readonly route: Route } {
  const { key, body, path = '/v1/runs', method = 'POST', caller = CALLER, signal } = asked;
  const request: RouteRequest = {
    method,
    path,
    params: {},
    query: {},
    headers: key === undefined ? {} : { 'idempotency-key': key },
    body,
    principal: caller,
    correlationId: 'c',
    baseUrl: 'http://127.0.0.1',
    signal: signal ?? new AbortController().signal,
    log: pino({ level: 'silent' }),
  };
  const route: Route = {
    method,
    path: path.startsWith('/v1/runs/') ? '/v1/runs/{runId}/cancel' : path,
    operationId: 'op',
    summary: '',
    scopes: [],
    responses: {},
    handle: () => ({ status: 204 }),
  };
  return { request, route };
}

/** One process as the plugin sees it. */
export class TestHost {
  readonly idempotency: Idempotency;
  readonly entries: EntryStore;
  readonly outcomes: Outcome[] = [];

  constructor(store: Store, options: Partial<EntryStoreOptions> & { readonly waitMs?: number }) {
    const { waitMs = 5_000, now = Date.now } = options;
    this.entries = new EntryStore({
      database: store.database,
      instanceId: store.claims.instanceId,
      retentionMs: 86_400_000,
      leaseMs: 10_000,
      maxEntries: 1_000,
      ...options,
      now,
    });
    this.idempotency = new Idempotency({
      store: this.entries,
      waitMs,
      now,
      onOutcome: (outcome) => this.outcomes.push(outcome),
    });
  }

  /** Sends a request through the middleware to `handler`. */
  async ask(
    asked: Asked,
    handler: (request: RouteRequest) => RouteResponse | Promise<RouteResponse>,
  ): Promise<RouteResponse> {
    const { request, route } = requestOf(asked);
    return this.idempotency.handle(request, route, async () => handler(request));
  }
}

/** Hosts on one store file and their common clock. */
export function testHosts() {
  const stores = temporaryStores();
  const clock = { now: 1_800_000_000_000 };
  return {
    clock,
    stores,
    host: (options: ConstructorParameters<typeof TestHost>[1] = {}) =>
      new TestHost(stores.open(), { now: () => clock.now, ...options }),
    remove: () => stores.remove(),
  };
}

export const replayOf = (response: RouteResponse): string | undefined =>
  response.headers?.['openwop-Idempotent-Replay'];

/** The error a promise rejects with. */
export const errorOf = (promise: Promise<unknown>): Promise<WoprError> =>
  promise.then(
    () => Promise.reject(new Error('was expected to fail')),
    (error) => error,
  );
