/** Reads settings from OPENWOP_* environment variables: names the OpenWOP ecosystem shares, and OPENWOP_<SECTION>__<KEY> for all others. */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { closest } from '../../schemas/nearest.ts';
import { ConfigSchema } from './schema.ts';
import { isObject, type Setting } from './settings.ts';

/** Shared names and the keys they set; a second element is a fixed value instead of the variable's. */
const SHARED: Readonly<Record<string, readonly (readonly [string, JsonValue?])[]>> = {
  OPENWOP_HOST: [['plugins.http.config.host']],
  OPENWOP_PORT: [['plugins.http.config.port']],
  OPENWOP_API_KEY: [['plugins.api-keys.config.bootstrapKey']],
  OPENWOP_TEST_LOW_SCOPE_KEY: [['plugins.api-keys.config.lowScopeKey']],
  OPENWOP_SQLITE_PATH: [['store.path']],
  OPENWOP_CLAIM_TTL_MS: [['claims.ttlMs']],
  OPENWOP_HEARTBEAT_INTERVAL_MS: [['claims.heartbeatIntervalMs']],
  OPENWOP_NATS_URL: [
    ['plugins.nats.config.url'],
    ['plugins.nats.enabled', true],
    ['dispatch.dispatcher', 'nats'],
  ],
  OPENWOP_CONFORMANCE_FIXTURES: [['plugins.conformance-fixtures.enabled']],
};

/** Switches of conformance harnesses and the path of the config file: not ours to warn about. */
const ELSEWHERE =
  /^OPENWOP_(CONFIG|BASE_URL|FORCE_RATE_LIMIT|RUN_STALE_CLAIM|STALE_CLAIM_HOST_DIR|REQUIRE_BEHAVIOR|LIFECYCLE_TIMEOUT_MS|OTEL_COLLECTOR(_PORT)?|TEST_\w+|MCP_FAKE_\w+|A2A_\w+)$/;

const PLUGIN_VARIABLE = /^OPENWOP_PLUGINS__([A-Z0-9_]+?)__(ENABLED|CONFIG__[A-Z0-9_]+)$/;

/** Settings in the order they apply, and a warning for each OPENWOP_ variable nobody knows. Empty variables count as absent. */
export function environmentSettings(env: NodeJS.ProcessEnv): { settings: Setting[]; warnings: string[] } {
  const settings: Setting[] = [];
  const warnings: string[] = [];
  const names = Object.keys(env).filter((name) => name.startsWith('OPENWOP_') && env[name] !== '');
  // Shared names first: the explicit form wins when both are set.
  names.sort(
    (a, b) => Number(Object.hasOwn(SHARED, b)) - Number(Object.hasOwn(SHARED, a)) || (a < b ? -1 : 1),
  );
  for (const name of names) {
    const text = env[name] ?? '';
    const source = `environment variable ${name}`;
    const targets = Object.hasOwn(SHARED, name) ? SHARED[name] : keysOf(name);
    for (const [key, fixed] of targets ?? []) {
      settings.push({ path: key.split('.'), value: fixed ?? text, source, text: fixed === undefined });
    }
    if (targets === undefined && !ELSEWHERE.test(name)) {
      const close = closest(name, [...Object.keys(SHARED), ...KERNEL_VARIABLES.keys()]);
      warnings.push(`${name} is not a variable wopr knows; the nearest one is ${close}.`);
    }
  }
  return { settings, warnings };
}

function keysOf(name: string): [string][] | undefined {
  const kernelKey = KERNEL_VARIABLES.get(name);
  if (kernelKey !== undefined) return [[kernelKey]];
  const [, plugin, rest] = PLUGIN_VARIABLE.exec(name) ?? [];
  if (plugin === undefined || rest === undefined) return undefined;
  const keys = rest
    .split('__')
    .map((part) => part.toLowerCase().replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase()));
  return [[['plugins', plugin.toLowerCase().replaceAll('_', '-'), ...keys].join('.')]];
}

/** Variable of each kernel key: `engine.maxLiveRuns` is OPENWOP_ENGINE__MAX_LIVE_RUNS. */
const KERNEL_VARIABLES = new Map(
  leaves(ConfigSchema as unknown as JsonObject, []).map((path) => {
    const parts = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
    return [`OPENWOP_${parts.join('__')}`, path.join('.')];
  }),
);

function leaves(schema: JsonObject, path: readonly string[]): string[][] {
  return Object.entries(isObject(schema.properties) ? schema.properties : {}).flatMap(([key, child]) => {
    if (key === '$schema' || key === 'plugins' || !isObject(child)) return [];
    return isObject(child.properties) ? leaves(child, [...path, key]) : [[...path, key]];
  });
}
