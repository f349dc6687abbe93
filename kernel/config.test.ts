import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  configJsonSchema,
  type ResolveOptions,
  redactConfig,
  resolveConfig,
  setPluginEnabled,
} from './config.ts';
import { WoprError } from './errors.ts';
import type { PluginManifest } from './plugin/types.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'wopr-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const resolve = (options: ResolveOptions = {}) => resolveConfig({ cwd, ...options });
const file = (content: object | string, name = 'wopr.config.json') => {
  const path = join(cwd, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const problem = (options: ResolveOptions = {}): WoprError => {
  try {
    resolve(options);
  } catch (error) {
    if (error instanceof WoprError && error.code === 'config_invalid') return error;
    throw error;
  }
  throw new Error('should have been refused');
};
const message = (options?: ResolveOptions) => problem(options).message;

describe('values', () => {
  it('default to what the documentation says', () => {
    expect(resolve()).toEqual({
      config: {
        dataDir: join(cwd, '.wopr'),
        logLevel: 'info',
        store: { path: join(cwd, '.wopr/wopr.sqlite'), synchronous: 'full', retentionDays: 30 },
        claims: { ttlMs: 10_000, heartbeatIntervalMs: 2_500 },
        engine: { maxLiveRuns: 10_000, maxNodeExecutions: 100, inline: true },
        dispatch: { dispatcher: 'local', concurrency: 64, queueLimit: 10_000 },
        development: false,
        shutdownGraceMs: 10_000,
        pluginPaths: [],
        plugins: {},
      },
      sources: new Map(),
      warnings: [],
      file: undefined,
      baseDir: cwd,
    });
  });

  it('come from file < environment < flags, each with its source', () => {
    const path = file({
      $schema: 'x',
      logLevel: 'debug',
      engine: { maxLiveRuns: 1, maxNodeExecutions: 2, inline: false },
    });
    const env = { OPENWOP_ENGINE__MAX_LIVE_RUNS: '10', OPENWOP_ENGINE__MAX_NODE_EXECUTIONS: '20' };
    const flags = { 'engine.maxLiveRuns': '100', 'store.path': undefined };
    const { config, sources } = resolve({ env, flags });
    expect(config.logLevel).toBe('debug');
    expect(config.engine).toEqual({ maxLiveRuns: 100, maxNodeExecutions: 20, inline: false });
    expect(config).not.toHaveProperty('$schema');
    const source = (key: string) => sources.get(key)?.source;
    expect(source('engine.maxLiveRuns')).toBe('command line');
    expect(source('engine.maxNodeExecutions')).toBe(
      'environment variable OPENWOP_ENGINE__MAX_NODE_EXECUTIONS',
    );
    expect(source('engine.inline')).toBe(path);
    expect(source('store.path')).toBeUndefined();
  });

  it('of a section are merged key by key, but a whole section on the command line replaces it', () => {
    file({ plugins: { http: { config: { port: 1, host: 'a' } } } });
    const env = { OPENWOP_PORT: '2' };
    expect(resolve({ env }).config.plugins.http?.config).toEqual({ port: '2', host: 'a' });
    const replaced = resolve({ env, flags: { 'plugins.http.config': { port: 3 } } });
    expect(replaced.config.plugins.http?.config).toEqual({ port: 3 });
    expect([...replaced.sources.keys()]).toEqual(['plugins.http.config']);
  });

  it('that are paths belong to the folder of the file, or to the working directory', () => {
    mkdirSync(join(cwd, 'etc'));
    file(
      { dataDir: 'data', pluginPaths: ['./mine', 'folder/other', 'a-package', '@org/package'] },
      'etc/wopr.config.json',
    );
    const { config, baseDir } = resolve({ env: { OPENWOP_CONFIG: 'etc/wopr.config.json' } });
    expect(baseDir).toBe(join(cwd, 'etc'));
    expect(config.dataDir).toBe(join(cwd, 'etc/data'));
    expect(config.store.path).toBe(join(cwd, 'etc/data/wopr.sqlite'));
    expect(config.pluginPaths).toEqual([
      join(cwd, 'etc/mine'),
      join(cwd, 'etc/folder/other'),
      'a-package',
      '@org/package',
    ]);
    const env = { OPENWOP_DATA_DIR: 'data', OPENWOP_SQLITE_PATH: '/var/x.sqlite' };
    expect(resolve({ env }).config).toMatchObject({
      dataDir: join(cwd, 'data'),
      store: { path: '/var/x.sqlite' },
    });
  });

  it('the heartbeat follows the ttl unless it is set', () => {
    expect(resolve({ env: { OPENWOP_CLAIM_TTL_MS: '1000' } }).config.claims).toEqual({
      ttlMs: 1000,
      heartbeatIntervalMs: 250,
    });
  });
});

describe('environment', () => {
  it.each<[string, string, string, unknown]>([
    ['OPENWOP_HOST', '::1', 'plugins.http.config.host', '::1'],
    ['OPENWOP_PORT', '80', 'plugins.http.config.port', '80'],
    ['OPENWOP_API_KEY', 'k', 'plugins.api-keys.config.bootstrapKey', 'k'],
    ['OPENWOP_TEST_LOW_SCOPE_KEY', 'k', 'plugins.api-keys.config.lowScopeKey', 'k'],
    ['OPENWOP_LOG_LEVEL', 'warn', 'logLevel', 'warn'],
    ['OPENWOP_CLAIM_TTL_MS', '9000', 'claims.ttlMs', 9000],
    ['OPENWOP_HEARTBEAT_INTERVAL_MS', '900', 'claims.heartbeatIntervalMs', 900],
    ['OPENWOP_NATS_URL', 'nats://h', 'plugins.nats.config.url', 'nats://h'],
    ['OPENWOP_NATS_URL', 'nats://h', 'plugins.nats.enabled', true],
    ['OPENWOP_NATS_URL', 'nats://h', 'dispatch.dispatcher', 'nats'],
    ['OPENWOP_CONFORMANCE_FIXTURES', '1', 'plugins.conformance-fixtures.enabled', true],
    ['OPENWOP_CONFORMANCE_FIXTURES', 'false', 'plugins.conformance-fixtures.enabled', false],
    ['OPENWOP_DEVELOPMENT', 'TRUE', 'development', true],
    ['OPENWOP_SHUTDOWN_GRACE_MS', '5', 'shutdownGraceMs', 5],
    ['OPENWOP_STORE__RETENTION_DAYS', '0.5', 'store.retentionDays', 0.5],
    ['OPENWOP_PLUGIN_PATHS', '/a, /b', 'pluginPaths', ['/a', '/b']],
    ['OPENWOP_PLUGINS__RATE_LIMIT__ENABLED', '0', 'plugins.rate-limit.enabled', false],
    [
      'OPENWOP_PLUGINS__RATE_LIMIT__CONFIG__PER_KEY__BURST',
      '5',
      'plugins.rate-limit.config.perKey.burst',
      '5',
    ],
  ])('%s=%s sets %s', (name, text, key, value) => {
    const { config, warnings } = resolve({ env: { [name]: text } });
    expect(
      key.split('.').reduce<unknown>((place, part) => (place as Record<string, unknown>)[part], config),
    ).toEqual(value);
    expect(warnings).toEqual([]);
  });

  it('prefers the explicit form over a shared name', () => {
    const env = { OPENWOP_DISPATCH__DISPATCHER: 'local', OPENWOP_NATS_URL: 'nats://h' };
    expect(resolve({ env }).config.dispatch.dispatcher).toBe('local');
  });

  it('warns of variables nobody knows, and is silent on foreign and empty ones', () => {
    const env = {
      OPENWOP_PROT: '80',
      OPENWOP_ENGINE__MAX_LIV_RUNS: '1',
      OPENWOP_BASE_URL: 'x',
      OPENWOP_RUN_STALE_CLAIM: '1',
      OPENWOP_PORT: '',
      PATH: '/bin',
    };
    const { warnings, config } = resolve({ env });
    expect(warnings).toEqual([
      'OPENWOP_ENGINE__MAX_LIV_RUNS is not a variable wopr knows; the nearest one is OPENWOP_ENGINE__MAX_LIVE_RUNS.',
      'OPENWOP_PROT is not a variable wopr knows; the nearest one is OPENWOP_PORT.',
    ]);
    expect(config.plugins).toEqual({});
  });
});

describe('mistakes', () => {
  it('name the key, the nearest valid key and the source', () => {
    const path = file({ engin: {}, store: { synchronus: 'full' } });
    expect(problem()).toMatchObject({
      message: `engin is not a known key; the nearest valid one is "engine" (${path}).
store.synchronus is not a known key; the nearest valid one is "synchronous" (${path}).`,
      details: { problems: [{ key: 'engin', source: path }, { key: 'store.synchronus' }] },
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ logLevel: 'loud' }, 'logLevel must be one of fatal, error, warn, info, debug, trace, silent'],
    [{ 'engine.maxLiveRuns': 'many' }, 'engine.maxLiveRuns must be an integer'],
    [{ 'engine.maxLiveRuns': 1.5 }, 'engine.maxLiveRuns must be an integer'],
    [{ 'engine.maxLiveRuns': 0 }, 'engine.maxLiveRuns must be >= 1'],
    [{ 'store.retentionDays': -1 }, 'store.retentionDays must be >= 0'],
    [{ development: 'maybe' }, 'development must be a boolean'],
    [{ pluginPaths: '[1' }, 'pluginPaths must be an array'],
    [{ pluginPaths: [1] }, 'pluginPaths[0] must be a string'],
    [{ plugins: [] }, 'plugins must be an object'],
    [
      { 'plugins.http.enable': true },
      'plugins.http.enable is not a known key; the nearest valid one is "enabled"',
    ],
    [{ 'plugins.http.enabled': 'x' }, 'plugins.http.enabled must be a boolean'],
    [{ '__proto__.x': 1 }, '__proto__ is not a known key; the nearest valid one is "store"'],
    [
      { 'claims.heartbeatIntervalMs': 5_000 },
      'claims.heartbeatIntervalMs must be less than half of claims.ttlMs (10000)',
    ],
  ])('%j', (flags, text) => {
    expect(message({ flags: flags as ResolveOptions['flags'] & object })).toBe(`${text} (command line).`);
  });

  it('in the environment name the variable and not its value', () => {
    const env = { OPENWOP_CLAIM_TTL_MS: 'sk_live_1234' };
    expect(message({ env })).toBe(
      'claims.ttlMs must be an integer (environment variable OPENWOP_CLAIM_TTL_MS).',
    );
    expect(JSON.stringify(problem({ env }))).not.toContain('sk_live');
  });

  it('of the file as a whole name it', () => {
    const missing = join(cwd, 'none.json');
    expect(message({ file: 'none.json' })).toBe(`${missing} does not exist.`);
    const path = file('{"bootstrapKey": sk_live_1234');
    expect(message()).toBe(`${path} is not valid JSON: Unexpected token 's'.`);
    file('{"a": "b",}');
    expect(message()).toMatch(/is not valid JSON: .* \(line 1 column 11\)\.$/);
    file('[]');
    expect(message()).toBe(`${path} must hold a JSON object.`);
  });

  it('do not pollute prototypes', () => {
    file('{"__proto__": {"polluted": true}}');
    expect(message()).toContain('__proto__ is not a known key');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

const manifest: PluginManifest = {
  manifestVersion: 1,
  name: 'http',
  version: '1.0.0',
  description: 'Serves HTTP.',
  kernel: '*',
  config: {
    type: 'object',
    properties: {
      port: { type: 'integer' },
      key: { type: 'string', secret: true },
      keys: { type: 'array', items: { type: 'object', properties: { id: {}, hash: { secret: true } } } },
    },
  },
};

describe('redactConfig', () => {
  it('hides secrets, and everything no schema describes', () => {
    const http = { port: 80, key: 'k1', keys: [{ id: 'a', hash: 'h' }], extra: 'e' };
    const { config } = resolve({
      flags: { 'plugins.http': { enabled: true, config: http }, 'plugins.other.config': { key: 'k2' } },
    });
    expect(redactConfig(config, [manifest]).plugins).toEqual({
      http: {
        enabled: true,
        config: { port: 80, key: '[redacted]', keys: [{ id: 'a', hash: '[redacted]' }], extra: '[redacted]' },
      },
      other: { config: '[redacted]' },
    });
    expect(config.plugins.http?.config?.key).toBe('k1');
  });
});

describe('configJsonSchema', () => {
  it('accepts what the host accepts, and knows the sections of plugins', () => {
    const ajv = new Ajv2020({ strict: true, keywords: ['secret'] });
    const validate = ajv.compile(configJsonSchema([manifest, { ...manifest, name: 'plain', config: {} }]));
    const valid = (value: object) => validate(value);
    expect(
      valid({ $schema: './x.json', engine: { maxLiveRuns: 1 }, plugins: { http: { config: { port: 1 } } } }),
    ).toBe(true);
    expect(valid({ plugins: { unheard: { enabled: true, config: { any: 1 } } } })).toBe(true);
    expect(valid({ plugins: { http: { config: { prot: 1 } } } })).toBe(false);
    expect(valid({ plugins: { http: { config: { port: 'x' } } } })).toBe(false);
    expect(valid({ plugins: { http: { enable: true } } })).toBe(false);
    expect(valid({ plugins: { plain: { config: { any: 1 } } } })).toBe(false);
    expect(valid({ engin: {} })).toBe(false);
  });
});

describe('setPluginEnabled', () => {
  it('creates the file for its owner only', () => {
    const path = join(cwd, 'wopr.config.json');
    setPluginEnabled(path, 'nats', true);
    expect(readFileSync(path, 'utf8')).toBe(
      '{\n  "plugins": {\n    "nats": {\n      "enabled": true\n    }\n  }\n}\n',
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps everything else: content, order, permissions', () => {
    const before = {
      zeta: 1,
      plugins: { nats: { config: { url: 'u' }, enabled: true }, http: {} },
      dataDir: 'd',
    };
    const path = file(before);
    chmodSync(path, 0o640);
    setPluginEnabled(path, 'nats', false);
    before.plugins.nats.enabled = false;
    expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(before, null, 2)}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(existsSync(`${path}.${process.pid}.tmp`)).toBe(false);
  });

  it('leaves a file alone that it does not understand', () => {
    const path = file('{"plugins": []}');
    expect(() => setPluginEnabled(path, 'nats', true)).toThrow(`plugins must be an object (${path}).`);
    expect(readFileSync(path, 'utf8')).toBe('{"plugins": []}');
  });
});
