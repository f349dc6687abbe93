/** The Fastify server: connections, limits and timeouts, failures below the level of requests, listening and closing. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { HttpConfig } from './config.ts';
import { envelope } from './errors.ts';
import { traceContext } from './trace-context.ts';

export type Serve = (request: FastifyRequest, reply: FastifyReply) => void;

export interface Server {
  /** Resolves once the port is open. Rejects with a message for the operator. */
  listen(): Promise<void>;
  /** Scheme and authority; throws before `listen`. */
  address(): string;
  /** Takes no new connections and resolves when the last one has ended. */
  close(): Promise<void>;
  /** Cuts off what is still connected. */
  destroy(): void;
}

/**
 * `serve` is called for every request whose head could be read. It runs as an `onRequest` hook, the first step there is: Fastify's own
 * body handling would come before authentication, and its router could refuse before us. `onRefused` is called for every connection
 * beyond `maxConnections`.
 */
export function createServer(config: HttpConfig, serve: Serve, onRefused: () => void): Server {
  const app = fastify({
    logger: false,
    genReqId: () => '',
    trustProxy: trustedProxies(config.trustProxy),
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    return503OnClosing: false,
    http: {
      maxHeaderSize: config.maxHeaderBytes,
      headersTimeout: config.requestTimeoutMs,
      // How soon Node notices a request that takes too long.
      connectionsCheckingInterval: Math.min(10_000, Math.ceil(config.requestTimeoutMs / 4)),
      // Node would answer without a body; the pipeline does it with one.
      requireHostHeader: false,
    },
    routerOptions: { querystringParser: () => ({}) },
    frameworkErrors: (_error, request, reply) => serve(request, reply),
    clientErrorHandler: refuseConnection,
  });
  app.addHook('onRequest', (request, reply) => serve(request, reply));
  const nothing = () => {};
  app.all('*', nothing);
  // For methods Fastify has no routes for.
  app.setNotFoundHandler(nothing);
  app.server.maxConnections = config.maxConnections;
  app.server.on('drop', onRefused);
  app.server.on('checkExpectation', refuseExpectation);

  return {
    listen: async () => {
      try {
        await app.listen({ host: config.host, port: config.port });
      } catch (error) {
        throw new Error(listenProblem(error as NodeJS.ErrnoException, config), { cause: error });
      }
    },
    address: () => addressOf(app.server.address() as AddressInfo | null),
    close: () => app.close(),
    destroy: () => app.server.closeAllConnections(),
  };
}

/** `true`, or a list of addresses. */
function trustedProxies(setting: HttpConfig['trustProxy']): boolean | string[] {
  return typeof setting === 'string' ? setting.split(',').map((each) => each.trim()) : setting;
}

function addressOf(bound: AddressInfo | null): string {
  if (bound === null) throw new Error('the HTTP server is not listening');
  // A wildcard is no address to connect to.
  const host = bound.address === '0.0.0.0' ? '127.0.0.1' : bound.address === '::' ? '::1' : bound.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
}

function listenProblem(error: NodeJS.ErrnoException, { host, port }: HttpConfig): string {
  const place = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return `${place} is already in use; set plugins.http.config.port (OPENWOP_PORT) to another port, or to 0 for a free one`;
  }
  if (error.code === 'EACCES')
    return `this user may not listen on ${place}; ports below 1024 need privileges`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `${host} is no address of this machine; set plugins.http.config.host (OPENWOP_HOST)`;
  }
  return `cannot listen on ${place}: ${error.message}`;
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, code: ErrorCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'The request head is too large.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'request_timeout',
    'The request was not received in time.',
  ],
};
const NOT_HTTP = ['400 Bad Request', 'validation_error', 'The request is not valid HTTP.'] as const;

/** A connection whose bytes are no acceptable request: answers in the envelope and hangs up. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  // Set by Node while a response is in progress; writing into the middle of one would corrupt it.
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent) {
    socket.destroy();
    return;
  }
  const [status, code, message] = CLIENT_ERRORS[error.code ?? ''] ?? NOT_HTTP;
  const body = envelope(code, message);
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `traceparent: ${traceContext(undefined).traceparent}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** `Expect` with anything but 100-continue. */
function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = envelope('validation_error', 'The Expect header is not supported.');
  response.writeHead(400, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    traceparent: traceContext(undefined).traceparent,
  });
  response.end(body);
}
