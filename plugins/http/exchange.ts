/** One request on its way through the pipeline, as plugins see it; whatever not every route needs is made on first use. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { WoprError } from '../../kernel/errors.ts';
import type { Principal, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { JsonValue } from '../../schemas/json.ts';
import type { CompiledRoute } from './compiled-route.ts';
import { type TraceContext, traceContext } from './trace-context.ts';

/** What all exchanges of a server share. */
export interface ExchangeHost {
  readonly publicBaseUrl: string | undefined;
  readonly logger: Logger;
  /** Where the server listens; for links when the client sent no usable Host header. */
  address(): string;
  /** Aborts a controller when the host stops, until the returned function is called. */
  abortAtStop(controller: AbortController): () => void;
}

type Query = Record<string, string | string[] | undefined>;

const NO_QUERY: Query = Object.freeze(Object.create(null));
/** A registered name, IPv4 or bracketed IPv6 address, with optional port. */
const AUTHORITY = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

export class Exchange implements RouteRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly startedAt: number = performance.now();
  /** Raw parameter values, filled by the route table. */
  readonly captured: string[] = [];
  route: CompiledRoute | undefined;
  principal: Principal | undefined;
  body: JsonValue | undefined;
  bodyBytes = 0;
  readonly request: FastifyRequest;
  readonly response: ServerResponse;
  readonly #host: ExchangeHost;
  readonly #search: string;
  readonly #trace: TraceContext;
  #params: Readonly<Record<string, string>> | undefined;
  #query: Query | undefined;
  #log: Logger | undefined;
  #abort: AbortController | undefined;

  constructor(request: FastifyRequest, response: ServerResponse, host: ExchangeHost) {
    const { method = 'GET', url = '/', headers } = request.raw;
    this.request = request;
    this.response = response;
    this.#host = host;
    this.method = method;
    this.headers = headers;
    const target = url.startsWith('/') ? url : url.replace(ABSOLUTE_FORM, '');
    const mark = target.indexOf('?');
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.#search = mark === -1 ? '' : target.slice(mark + 1);
    const { traceparent } = headers;
    this.#trace = traceContext(typeof traceparent === 'string' ? traceparent : undefined);
  }

  /** Throws `validation_error` when a value is not valid percent-encoded UTF-8 or contains a NUL. */
  get params(): Readonly<Record<string, string>> {
    this.#params ??= this.#decodeParams();
    return this.#params;
  }

  get query(): Readonly<Query> {
    if (this.#search === '') return NO_QUERY;
    this.#query ??= parse(this.#search) as Query;
    return this.#query;
  }

  get correlationId(): string {
    return this.#trace.traceId;
  }

  get traceparent(): string {
    return this.#trace.traceparent;
  }

  get baseUrl(): string {
    const { publicBaseUrl } = this.#host;
    if (publicBaseUrl !== undefined) return publicBaseUrl;
    const { host, protocol } = this.request;
    return AUTHORITY.test(host) ? `${protocol}://${host}` : this.#host.address();
  }

  get remoteAddress(): string {
    return this.request.ip;
  }

  get signal(): AbortSignal {
    this.#abort ??= this.#createAbort();
    return this.#abort.signal;
  }

  get log(): Logger {
    this.#log ??= this.#host.logger.child({ correlationId: this.correlationId });
    return this.#log;
  }

  #decodeParams(): Record<string, string> {
    const names = this.route?.parameterNames ?? [];
    const params: Record<string, string> = {};
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      params[name] = decode(name, this.captured[i] ?? '');
    }
    return params;
  }

  #createAbort(): AbortController {
    const controller = new AbortController();
    const release = this.#host.abortAtStop(controller);
    const done = () => {
      release();
      controller.abort(new Error('the client closed the connection'));
    };
    if (this.response.destroyed) done();
    // Also fires after a complete response, when aborting is harmless and frees what still waits on the signal.
    else this.response.once('close', done);
    return controller;
  }
}

function decode(name: string, raw: string): string {
  let value = raw;
  if (raw.includes('%')) {
    try {
      value = decodeURIComponent(raw);
    } catch {
      throw badParameter(name, 'Must be valid percent-encoded UTF-8.');
    }
  }
  if (value.includes('\0')) throw badParameter(name, 'Must not contain NUL.');
  return value;
}

const badParameter = (name: string, message: string) =>
  new WoprError('validation_error', `The path parameter "${name}" is not valid: ${message}`, {
    details: { errors: [{ in: 'path', path: `/${name}`, message }] },
  });
