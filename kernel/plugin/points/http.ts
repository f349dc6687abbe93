/** Extension points of HTTP transports: routes, middleware, authenticators. Free of any server library. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import type { TSchema } from 'typebox';
import type { JsonValue } from '../../../schemas/json.ts';

/** Who is calling; made by an authenticator. */
export interface Principal {
  /** Stable id of the credential, safe to log. */
  readonly keyId: string;
  /** Tenant used when the request names none. */
  readonly tenantId: string;
  /** Every tenant this credential may act for. */
  readonly tenantIds: readonly string[];
  readonly scopes: ReadonlySet<string>;
  /** A test key: may use mock providers and forced engine versions; its resources are marked. */
  readonly test: boolean;
}

/** Turns `Authorization` into a principal. Returns null when the credential is not of its kind; throws a WoprError (401) to refuse. */
export interface Authenticator {
  readonly name: string;
  authenticate(authorization: string): Principal | null | Promise<Principal | null>;
}

export interface RouteRequest {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | string[] | undefined>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonValue | undefined;
  /** Absent only on public routes. */
  readonly principal: Principal | undefined;
  readonly correlationId: string;
  /** Scheme and authority the client used, e.g. `http://127.0.0.1:3737`; for absolute links. */
  readonly baseUrl: string;
  /** Address of the client, as far as known; behind a trusted proxy the one it reports. */
  readonly remoteAddress?: string;
  /** Aborted when the client goes away or the host stops. Created on first use. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface RouteResponse {
  readonly status: number;
  /** Lower-case names. With an `etag` on a 200, the transport answers `If-None-Match` with 304. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Serialised as JSON. At most one of `body`, `json`, `text`, `stream`. */
  readonly body?: unknown;
  /** JSON text, sent as it is. */
  readonly json?: string;
  /** Any other text; set `content-type`. */
  readonly text?: string;
  /** Chunks written with back-pressure; the response ends with the iterable. */
  readonly stream?: AsyncIterable<string>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/v1/runs/{runId}/events`; a colon verb is part of the last segment: `/v1/runs/{runId}:fork`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tags?: readonly string[];
  /** Required scopes (all of them), or null for a public route. */
  readonly scopes: readonly string[] | null;
  readonly params?: TSchema;
  /** Query values arrive as strings; the schema's integers and booleans are coerced before validation. */
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** The body may be absent even though `body` is set. */
  readonly bodyOptional?: boolean;
  /** Bytes; default from the config of the HTTP plugin. */
  readonly bodyLimit?: number;
  /** Answer even while the host sheds load (discovery, health). */
  readonly unshedded?: boolean;
  readonly responses: Readonly<
    Record<number, { readonly description: string; readonly schema?: TSchema; readonly contentType?: string }>
  >;
  handle(request: RouteRequest): RouteResponse | Promise<RouteResponse>;
}

/**
 * Runs around routes. `admission` runs after authentication and before the scope check, without a body (rate limits);
 * `execution` runs after the body was parsed and before it is validated, and sees the response (idempotency).
 */
export interface Middleware {
  readonly name: string;
  readonly stage: 'admission' | 'execution';
  /** Lower runs first (outermost). */
  readonly order: number;
  /** Decided once per route, to keep others free of it; absent means every route. */
  appliesTo?(route: Route): boolean;
  handle(
    request: RouteRequest,
    route: Route,
    next: () => Promise<RouteResponse>,
  ): RouteResponse | Promise<RouteResponse>;
}
