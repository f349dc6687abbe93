// Hosts that run chosen built-in plugins, with services and contributions made up by the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { resolveConfig } from '../../kernel/config.ts';
import { PluginHost, planPlugins } from '../../kernel/plugin/index.ts';
import type { Authenticator, Principal, Route, RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { ExtensionPoint, ExtensionPoints, HostService, Services } from '../../kernel/plugin/types.ts';
import { WOPR_VERSION } from '../../kernel/version.ts';
import type { JsonValue } from '../../schemas/json.ts';

const BUILT_IN = fileURLToPath(new URL('../../plugins', import.meta.url));

/** Plugins that open a port: a free one in tests. */
const LISTENING: readonly string[] = ['http', 'ops'];

export interface TestHostOptions {
  /** Built-in plugins to run; all others are left out. */
  readonly plugins: readonly string[];
  /** By key path: `{ 'plugins.http.config.port': 0 }`. */
  readonly config?: Readonly<Record<string, JsonValue>>;
  readonly services?: Partial<Services>;
  /** Adds contributions before the plugins are activated. */
  readonly contribute?: (host: TestHost) => void;
}

export class TestHost {
  /** What the host logged, as parsed lines. */
  readonly logged: Record<string, unknown>[] = [];
  readonly logger: Logger = pino(
    { level: 'debug' },
    { write: (line) => void this.logged.push(JSON.parse(line)) },
  );
  readonly #dir = mkdtempSync(join(tmpdir(), 'wopr-host-'));
  readonly plugins: PluginHost;

  constructor({ plugins, config = {}, services = {} }: TestHostOptions) {
    const ports = plugins
      .filter((name) => LISTENING.includes(name))
      .map((name) => [`plugins.${name}.config.port`, 0]);
    const flags = { ...Object.fromEntries(ports), ...config };
    this.plugins = new PluginHost({
      plan: planPlugins({
        resolved: resolveConfig({ cwd: this.#dir, flags }),
        builtin: BUILT_IN,
        kernelVersion: WOPR_VERSION,
        services: Object.keys(services),
        select: (manifest) => plugins.includes(manifest.name),
      }),
      services,
      logger: this.logger,
    });
  }

  /** Contributes something in the name of a plugin "test"; call the result to take it back. */
  add<P extends ExtensionPoint>(point: P, id: string, value: ExtensionPoints[P]): () => void {
    return this.plugins.extensions.add(point, { id, plugin: 'test', value });
  }

  /** Everything logged, as text. */
  get log(): string {
    return this.logged.map((line) => JSON.stringify(line)).join('\n');
  }

  async stop(graceMs = 5_000): Promise<void> {
    await this.plugins.drain(graceMs);
    await this.plugins.stopAll();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export async function startHost(options: TestHostOptions): Promise<TestHost> {
  const host = new TestHost(options);
  options.contribute?.(host);
  try {
    await host.plugins.load();
    await host.plugins.ready();
    await host.plugins.serve();
  } catch (error) {
    await host.stop();
    throw error;
  }
  return host;
}

/** A route that only a test needs; override what matters. */
export function testRoute(overrides: Partial<Route> & Pick<Route, 'path'>): Route {
  return {
    method: 'GET',
    operationId: 'testOperation',
    summary: 'A route of a test.',
    scopes: ['runs:read'],
    responses: { 200: { description: 'Fine.' } },
    handle: (): RouteResponse => ({ status: 200, body: { ok: true } }),
    ...overrides,
  };
}

/** Accepts `Bearer <name>` for each given name; refuses nothing else, as if it were of another kind. */
export function testAuthenticator(principals: Readonly<Record<string, Partial<Principal>>>): Authenticator {
  return {
    name: 'test-auth',
    authenticate: (authorization) => {
      const name = authorization.replace(/^Bearer /, '');
      const given = Object.hasOwn(principals, name) ? principals[name] : undefined;
      if (given === undefined) return null;
      return {
        keyId: name,
        tenantId: 'default',
        tenantIds: ['default'],
        scopes: new Set(),
        test: false,
        ...given,
      };
    },
  };
}

/** Service `host` of a running host. */
export function testHostService(overrides: Partial<HostService> = {}): HostService {
  return {
    version: WOPR_VERSION,
    instanceId: 'test-instance',
    dataDir: '/nowhere',
    maxNodeExecutions: 100,
    phase: 'ready',
    plugins: [],
    ...overrides,
  };
}
