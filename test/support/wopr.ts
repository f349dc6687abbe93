// A complete host for tests: the real kernel with all built-in plugins on a folder and a port of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { request } from 'undici';
import { resolveConfig } from '../../kernel/config.ts';
import { createKernel, type Kernel } from '../../kernel/kernel.ts';
import type { Principal } from '../../kernel/plugin/points/http.ts';
import type { JsonValue } from '../../schemas/json.ts';
import { testAuthenticator } from './plugin-host.ts';
import '../../plugins/http/contract.ts';

const BUILT_IN = fileURLToPath(new URL('../../plugins', import.meta.url));

export const ALL_SCOPES: ReadonlySet<string> = new Set([
  'runs:create',
  'runs:read',
  'runs:cancel',
  'manifest:read',
  'manifest:write',
]);

/** `live` and `test` act for tenants default and second; `stranger` for another one; `reader` may only read. */
const PRINCIPALS: Readonly<Record<string, Partial<Principal>>> = {
  live: { scopes: ALL_SCOPES, tenantIds: ['default', 'second'] },
  test: { scopes: ALL_SCOPES, tenantIds: ['default', 'second'], test: true },
  stranger: { scopes: ALL_SCOPES, tenantId: 'other', tenantIds: ['other'] },
  reader: { scopes: new Set(['runs:read', 'manifest:read']) },
};

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Name of a principal; default `live`. */
  readonly as?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly json: any;
}

export interface WoprOptions {
  /** By key path: `{ 'claims.ttlMs': 500 }`. */
  readonly config?: Readonly<Record<string, JsonValue>>;
  /** A folder shared with another host; it is kept. Default: one of its own, removed at the end. */
  readonly dataDir?: string;
  /** Called before the plugins start. */
  readonly prepare?: (kernel: Kernel) => void;
}

export class TestWopr {
  readonly kernel: Kernel;
  readonly base: string;
  readonly dataDir: string;
  /** What the host logged, as parsed lines. */
  readonly logged: readonly Record<string, unknown>[];
  readonly #temporary: boolean;

  constructor(
    kernel: Kernel,
    dataDir: string,
    temporary: boolean,
    logged: readonly Record<string, unknown>[],
  ) {
    this.kernel = kernel;
    this.base = kernel.service('httpServer')?.address() ?? '';
    this.dataDir = dataDir;
    this.logged = logged;
    this.#temporary = temporary;
  }

  async ask(path: string, { method = 'GET', headers = {}, body, as = 'live' }: Ask = {}): Promise<Answer> {
    const response = await request(`${this.base}${path}`, {
      method: method as 'GET',
      headers: {
        authorization: `Bearer ${as}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, json: parsed(text) };
  }

  post(path: string, body?: unknown, options: Omit<Ask, 'method' | 'body'> = {}): Promise<Answer> {
    return this.ask(path, { ...options, method: 'POST', ...(body === undefined ? {} : { body }) });
  }

  /** Starts a run and returns its id. */
  async run(workflowId: string, body: object = {}, as = 'live'): Promise<string> {
    const answer = await this.post('/v1/runs', { workflowId, ...body }, { as });
    if (answer.status !== 201) throw new Error(`POST /v1/runs answered ${answer.status}: ${answer.text}`);
    return answer.json.runId;
  }

  /** Waits for the end of a run and returns its snapshot. */
  async finished(runId: string, as = 'live'): Promise<Answer['json']> {
    await this.ask(`/v1/runs/${runId}/events`, { as });
    return (await this.ask(`/v1/runs/${runId}`, { as })).json;
  }

  async stop(): Promise<void> {
    await this.kernel.stop();
    if (this.#temporary) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Starts a host with the conformance workflows, in development mode: every event is checked before it is stored. */
export async function startWopr(options: WoprOptions = {}): Promise<TestWopr> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'wopr-test-'));
  const logged: Record<string, unknown>[] = [];
  const resolved = resolveConfig({
    cwd: dataDir,
    flags: {
      dataDir,
      development: true,
      'plugins.http.config.port': 0,
      'plugins.ops.config.port': 0,
      'plugins.conformance-fixtures.enabled': true,
      ...options.config,
    },
  });
  const kernel = await createKernel({
    resolved,
    logger: pino({ level: 'debug' }, { write: (line) => void logged.push(JSON.parse(line)) }),
    builtInPlugins: BUILT_IN,
  });
  const auth = testAuthenticator(PRINCIPALS);
  kernel.extensions.add('auth', { id: auth.name, plugin: 'test', value: auth });
  options.prepare?.(kernel);
  await kernel.start();
  return new TestWopr(kernel, dataDir, options.dataDir === undefined, logged);
}

/** A definition with the given nodes in a row. */
export function chain(
  id: string,
  nodes: readonly { typeId: string; config?: object; inputs?: object }[],
  extra: object = {},
) {
  return {
    id,
    name: id,
    version: '1.0',
    nodes: nodes.map((node, index) => ({
      id: `n${index}`,
      name: `n${index}`,
      position: { x: index, y: 0 },
      config: {},
      inputs: {},
      ...node,
    })),
    edges: nodes.slice(1).map((_, index) => ({
      id: `e${index}`,
      sourceNodeId: `n${index}`,
      targetNodeId: `n${index + 1}`,
    })),
    triggers: [{ id: 'manual', type: 'manual' }],
    variables: [],
    metadata: {},
    settings: {},
    ...extra,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
