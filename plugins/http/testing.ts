/** For this folder's tests: a host with the HTTP plugin, a client that shows everything, and the rules every error answer obeys. */
import { connect } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { expect } from 'vitest';
import { ErrorEnvelope } from '../../schemas/error-envelope.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { startHost, type TestHost, type TestHostOptions } from '../../test/support/plugin-host.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly json: any;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Name of a test principal. */
  readonly as?: string;
}

export class TestServer {
  readonly host: TestHost;
  readonly base: string;
  /** Sends paths as they are, where `fetch` would tidy them up. */
  readonly pool: Pool;

  constructor(host: TestHost) {
    this.host = host;
    this.base = host.plugins.service('httpServer')?.address() ?? '';
    this.pool = new Pool(this.base);
  }

  async ask(path: string, { method = 'GET', headers = {}, body, as }: Ask = {}): Promise<Answer> {
    const response = await this.pool.request({
      path,
      method: method as Dispatcher.HttpMethod,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, json: parsed(text) };
  }

  /** Sends bytes over a fresh connection and returns what comes back until the server hangs up. */
  raw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(this.base);
    return new Promise((resolve, reject) => {
      let received = '';
      const socket = connect(Number(port), hostname, () => socket.write(bytes));
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => {
        received += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(received));
    });
  }

  async stop(): Promise<void> {
    await this.pool.destroy();
    await this.host.stop();
  }
}

export async function startServer(options: Partial<TestHostOptions> = {}): Promise<TestServer> {
  return new TestServer(await startHost({ ...options, plugins: ['http', ...(options.plugins ?? [])] }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isEnvelope = compileSchema(ErrorEnvelope);

/** What HTTP §6.1 asks of every error answer. */
export function expectEnvelope(answer: Answer, status: number, code: string): void {
  expect(answer).toMatchObject({ status, json: { error: code } });
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
  expect(isEnvelope(answer.json), answer.text).toBe(true);
  const { details } = answer.json;
  if (status >= 500) expect(details.correlationId).toBe(String(answer.headers.traceparent).split('-')[1]);
  else expect(details?.correlationId).toBeUndefined();
  if (status === 429 || status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.text).not.toMatch(/node_modules|\.ts:|\bat [\w.<>]+ \(/);
}

/** Splits a raw response. */
export function parseRaw(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  return { status: Number(first.split(' ')[1]), headers, text: body, json: parsed(body) };
}
