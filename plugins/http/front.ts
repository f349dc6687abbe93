/** Takes every request from the server through the pipeline to its response, and records how it went. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { WoprError } from '../../kernel/errors.ts';
import type { Authenticator, RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { CompiledRoute } from './compiled-route.ts';
import type { HttpConfig } from './config.ts';
import { failure } from './errors.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import type { LiveRoutes } from './live-routes.ts';
import type { HttpMetrics } from './metrics.ts';
import { type PipelineHost, respond } from './pipeline.ts';
import { sendStream, sendText, unlessKnown } from './respond.ts';
import type { RouteTable } from './route-table.ts';

export class Front implements ExchangeHost, PipelineHost {
  readonly publicBaseUrl: string | undefined;
  readonly maxJsonDepth: number;
  readonly logger: Logger;
  readonly address: () => string;
  readonly #config: HttpConfig;
  readonly #routes: LiveRoutes;
  readonly #metrics: HttpMetrics;
  /** Controllers of requests whose handler asked for a signal. */
  readonly #abortable = new Set<AbortController>();
  #stopping = false;

  constructor(
    config: HttpConfig,
    routes: LiveRoutes,
    metrics: HttpMetrics,
    logger: Logger,
    address: () => string,
  ) {
    this.publicBaseUrl = config.publicBaseUrl;
    this.maxJsonDepth = config.maxJsonDepth;
    this.logger = logger;
    this.address = address;
    this.#config = config;
    this.#routes = routes;
    this.#metrics = metrics;
  }

  routes(): RouteTable<CompiledRoute> {
    return this.#routes.table;
  }

  authenticators(): readonly Authenticator[] {
    return this.#routes.authenticators;
  }

  refusal(): WoprError | undefined {
    if (this.#stopping) return new WoprError('service_unavailable', 'The host is stopping.');
    if (this.#metrics.inFlight <= this.#config.maxInFlight) return undefined;
    return new WoprError('service_unavailable', 'The host is at capacity.');
  }

  abortAtStop(controller: AbortController): () => void {
    if (this.#stopping) controller.abort(stopReason());
    else this.#abortable.add(controller);
    return () => this.#abortable.delete(controller);
  }

  /** From now on sheds what may be shed, and ends streams and waiting requests. */
  stop(): void {
    this.#stopping = true;
    for (const controller of this.#abortable) controller.abort(stopReason());
    this.#abortable.clear();
  }

  /** Answers one request; never throws. */
  readonly serve = (request: FastifyRequest, reply: FastifyReply): void => {
    // The response is written to the socket as it is: there is nothing for Fastify to serialise or to hook in.
    reply.hijack();
    void this.#handle(new Exchange(request, reply.raw, this));
  };

  async #handle(exchange: Exchange): Promise<void> {
    this.#metrics.inFlight++;
    let status: number;
    try {
      const response = unlessKnown(await respond(exchange, this), exchange);
      status = response.status;
      if (this.#stopping) exchange.response.setHeader('connection', 'close');
      const { stream } = response;
      if (stream === undefined) sendText(exchange.response, response, exchange.traceparent);
      else await this.#stream(exchange, { ...response, stream });
    } catch (error) {
      status = this.#fail(exchange, error);
    }
    this.#metrics.inFlight--;
    this.#record(exchange, status);
  }

  async #stream(
    exchange: Exchange,
    response: RouteResponse & { readonly stream: AsyncIterable<string> },
  ): Promise<void> {
    this.#metrics.openStreams++;
    try {
      await sendStream(exchange.response, response, exchange.traceparent);
    } finally {
      this.#metrics.openStreams--;
    }
  }

  /** Sends the error envelope, or cuts the response off when it has begun; returns the status to record. */
  #fail(exchange: Exchange, error: unknown): number {
    const { response: out, correlationId, traceparent, method } = exchange;
    const { response, unexpected } = failure(error, correlationId);
    const gone = out.destroyed || out.headersSent;
    if (unexpected && !(gone && isAbort(error))) {
      // The template, not the path: a path may carry a signed token.
      const route = exchange.route?.route.path;
      this.logger.error({ err: error, correlationId, method, route }, 'request failed');
    }
    if (gone) out.destroy();
    else sendText(out, response, traceparent);
    return response.status;
  }

  #record(exchange: Exchange, status: number): void {
    const ms = performance.now() - exchange.startedAt;
    (exchange.route?.metrics ?? this.#metrics.unmatched).observe(status, ms / 1000);
    const { accessLog } = this.#config;
    const { principal, method, path, route } = exchange;
    if (accessLog === 'off' || principal === undefined || route === undefined) return;
    const { keyId } = principal;
    this.logger[accessLog](
      { keyId, scope: route.scope, method, path, status, ms: Math.round(ms * 100) / 100 },
      'request',
    );
  }
}

const stopReason = () => new Error('the host is stopping');

/** What waiting on an aborted signal throws. */
const isAbort = (error: unknown) => error instanceof Error && error.name === 'AbortError';
