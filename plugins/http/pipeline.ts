/** The order in which a request is checked (HTTP §4), from the raw path to the response. */
import { WoprError } from '../../kernel/errors.ts';
import type {
  Authenticator,
  Middleware,
  Principal,
  Route,
  RouteResponse,
} from '../../kernel/plugin/points/http.ts';
import type { CompiledRoute } from './compiled-route.ts';
import type { Exchange } from './exchange.ts';
import { readJsonBody } from './json-body.ts';
import type { RouteTable } from './route-table.ts';
import { validate } from './validate.ts';

/** What the pipeline asks on every request. */
export interface PipelineHost {
  /** Always current: routes and authenticators come and go with their plugins. */
  routes(): RouteTable<CompiledRoute>;
  authenticators(): readonly Authenticator[];
  /** Why requests that may be shed are refused now. */
  refusal(): WoprError | undefined;
  readonly maxJsonDepth: number;
}

type Answer = RouteResponse | Promise<RouteResponse>;

/** Finds the route and runs all checks and its handler. Rejects with whatever refused or failed; sets `exchange.route` as soon as it is known. */
export async function respond(exchange: Exchange, host: PipelineHost): Promise<RouteResponse> {
  const compiled = match(exchange, host);
  exchange.route = compiled;
  const { route } = compiled;
  if (route.scopes !== null) {
    try {
      const principal = authenticate(exchange, host);
      exchange.principal = principal instanceof Promise ? await principal : principal;
    } catch (error) {
      // Through admission all the same, so that guessing credentials is limited by address.
      return chain(compiled.admission, 0, exchange, route, () => Promise.reject(error));
    }
  }
  if (route.unshedded !== true) {
    const refusal = host.refusal();
    if (refusal !== undefined) throw refusal;
  }
  if (compiled.admission.length === 0) return admitted(exchange, compiled, host);
  return chain(compiled.admission, 0, exchange, route, () => admitted(exchange, compiled, host));
}

function match(exchange: Exchange, host: PipelineHost): CompiledRoute {
  const { method, path, headers } = exchange;
  if (headers.host === undefined && exchange.request.raw.httpVersion === '1.1') {
    throw new WoprError('validation_error', 'HTTP/1.1 requests need a Host header.');
  }
  const endpoint = host.routes().find(path, exchange.captured);
  if (endpoint === undefined) throw unknownPath(path);
  // HEAD is GET without the content, which Node leaves out by itself.
  const compiled = endpoint.methods.get(method === 'HEAD' ? 'GET' : method);
  if (compiled !== undefined) return compiled;
  const allow = [...endpoint.methods.keys()].flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  throw new WoprError('method_not_allowed', `This path does not support ${method}.`, { details: { allow } });
}

/** Roots without a version are refused as such (HTTP §1 rules 2 and 3). */
function unknownPath(path: string): WoprError {
  if (path.startsWith('/v1/') || path.startsWith('/.well-known/')) {
    return new WoprError('not_found', 'There is no such endpoint.');
  }
  return new WoprError('validation_error', 'The path does not start with a supported version: use /v1/.');
}

/** The first authenticator that knows the kind of credential decides. */
function authenticate(exchange: Exchange, host: PipelineHost): Principal | Promise<Principal> {
  const { authorization } = exchange.headers;
  if (authorization === undefined) {
    throw new WoprError('unauthenticated', 'This endpoint needs "Authorization: Bearer <key>".');
  }
  const authenticators = host.authenticators();
  for (let i = 0; i < authenticators.length; i++) {
    const principal = (authenticators[i] as Authenticator).authenticate(authorization);
    if (principal instanceof Promise) return firstOf(principal, authenticators.slice(i + 1), authorization);
    if (principal !== null) return principal;
  }
  throw unknownCredential();
}

async function firstOf(
  pending: Promise<Principal | null>,
  others: readonly Authenticator[],
  authorization: string,
): Promise<Principal> {
  let principal = await pending;
  for (const other of others) principal ??= await other.authenticate(authorization);
  if (principal === null) throw unknownCredential();
  return principal;
}

const unknownCredential = () => new WoprError('unauthenticated', 'The credential is not valid.');

async function admitted(
  exchange: Exchange,
  compiled: CompiledRoute,
  host: PipelineHost,
): Promise<RouteResponse> {
  const { route } = compiled;
  if (exchange.principal !== undefined) checkScopes(exchange.principal, route.scopes ?? []);
  if (route.body !== undefined) {
    const limits = { bytes: compiled.bodyLimit, depth: host.maxJsonDepth };
    const body = await readJsonBody(exchange.request.raw, limits);
    exchange.body = body?.value;
    exchange.bodyBytes = body?.bytes ?? 0;
  }
  if (compiled.execution.length === 0) return execute(exchange, compiled);
  return chain(compiled.execution, 0, exchange, route, async () => execute(exchange, compiled));
}

function checkScopes(principal: Principal, scopes: readonly string[]): void {
  for (const scope of scopes) {
    if (principal.scopes.has(scope)) continue;
    throw new WoprError('forbidden', `The key lacks the scope "${scope}".`, {
      details: { scopeRequired: scope },
    });
  }
}

function execute(exchange: Exchange, compiled: CompiledRoute): Answer {
  validate(exchange, compiled);
  return compiled.route.handle(exchange);
}

/** Runs the middleware from `index` on, then `last`. */
async function chain(
  middleware: readonly Middleware[],
  index: number,
  exchange: Exchange,
  route: Route,
  last: () => Promise<RouteResponse>,
): Promise<RouteResponse> {
  const current = middleware[index];
  if (current === undefined) return last();
  return current.handle(exchange, route, () => chain(middleware, index + 1, exchange, route, last));
}
