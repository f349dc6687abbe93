/**
 * What only test keys may ask for when they create a run: a forced engine version and a mock provider. Decided before the body is
 * validated, so that a live key gets its 403 whatever else is wrong (HTTP §4 step 8, §13.4, §14.6).
 */
import { WoprError } from '../../kernel/errors.ts';
import type { Middleware, Principal, Route, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { checkBounds } from './configurable.ts';
import { callerOf, FORCED_ENGINE_VERSIONS } from './contract.ts';

const HEADER = 'x-force-engine-version';
const LONGEST_PROVIDER_ID = 128;

/** `mockProviders`: ids of the discovery document, read on every use. */
export function headerGates(mockProviders: () => readonly string[]): Middleware {
  return {
    name: 'run-header-gates',
    stage: 'execution',
    order: 20,
    appliesTo: isCreateRun,
    handle(request, route, next) {
      if (isCreateRun(route)) {
        const caller = callerOf(request);
        const configurable = configurableOf(request.body);
        if (!caller.test) refuseTestFeatures(request, configurable, mockProviders);
        forcedEngineVersion(request, caller);
        checkMockProvider(configurable, mockProviders);
        checkBounds(configurable);
      }
      return next();
    },
  };
}

/** Value of `X-Force-Engine-Version`, undefined without the header. Errors: see HTTP §14.6. */
export function forcedEngineVersion(request: RouteRequest, caller: Principal): number | undefined {
  const header = request.headers[HEADER];
  if (header === undefined) return undefined;
  if (!caller.test)
    throw new WoprError('force_engine_version_forbidden', 'X-Force-Engine-Version needs a test key.');
  const text = String(header).trim();
  if (!/^-?\d+$/.test(text)) {
    throw new WoprError('validation_error', 'X-Force-Engine-Version must be an integer.', {
      details: { errors: [{ in: 'header', path: `/${HEADER}`, message: 'Must be an integer.' }] },
    });
  }
  const version = Number(text);
  const { min, max } = FORCED_ENGINE_VERSIONS;
  if (version < min || version > max) {
    throw new WoprError(
      'unsupported_force_engine_version',
      `X-Force-Engine-Version must be between ${min} and ${max}.`,
      {
        details: { min, max },
      },
    );
  }
  return version;
}

const isCreateRun = (route: Route) => route.method === 'POST' && route.path === '/v1/runs';

function refuseTestFeatures(
  request: RouteRequest,
  configurable: JsonObject,
  mockProviders: () => readonly string[],
): void {
  if (request.headers[HEADER] !== undefined)
    throw new WoprError('force_engine_version_forbidden', 'X-Force-Engine-Version needs a test key.');
  if (configurable.mockProvider !== undefined)
    throw new WoprError('mock_provider_forbidden', 'Mock providers need a test key.', {
      details: providerDetails(configurable.mockProvider, mockProviders()),
    });
}

/** A mock provider without a usable id is left to the validation of the body. */
function checkMockProvider(configurable: JsonObject, mockProviders: () => readonly string[]): void {
  const id = providerId(configurable.mockProvider);
  if (id === undefined) return;
  const supported = mockProviders();
  if (supported.includes(id)) return;
  throw new WoprError('unsupported_mock_provider', 'This host does not offer the requested mock provider.', {
    details: providerDetails(configurable.mockProvider ?? null, supported),
  });
}

function providerDetails(provider: JsonValue, supported: readonly string[]): JsonObject {
  const id = providerId(provider);
  return {
    ...(id === undefined ? {} : { requestedProvider: id.slice(0, LONGEST_PROVIDER_ID) }),
    supportedProviders: [...supported],
  };
}

function providerId(provider: JsonValue | undefined): string | undefined {
  if (typeof provider !== 'object' || provider === null || Array.isArray(provider)) return undefined;
  return typeof provider.id === 'string' ? provider.id : undefined;
}

function configurableOf(body: JsonValue | undefined): JsonObject {
  const configurable = asObject(asObject(body)?.configurable);
  return configurable ?? {};
}

const asObject = (value: JsonValue | undefined): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
