// Streamed responses: order, back-pressure, clients that leave, handlers that fail, and the end when the host stops.
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RouteRequest } from '../../kernel/plugin/points/http.ts';
import { testAuthenticator, testRoute } from '../../test/support/plugin-host.ts';
import { expectEnvelope, startServer, type TestServer } from './testing.ts';

let server: TestServer;
let stream: (request: RouteRequest) => AsyncIterable<string>;
let wait: (request: RouteRequest) => Promise<void>;

beforeEach(async () => {
  server = await startServer({
    contribute: (host) => {
      host.add('auth', 'test-auth', testAuthenticator({ key: { scopes: new Set(['runs:read']) } }));
      host.add(
        'routes',
        'GET /v1/stream',
        testRoute({
          path: '/v1/stream',
          handle: (request) => ({
            status: 200,
            headers: { 'content-type': 'text/event-stream' },
            stream: stream(request),
          }),
        }),
      );
      host.add(
        'routes',
        'GET /v1/wait',
        testRoute({
          path: '/v1/wait',
          handle: async (request) => {
            await wait(request);
            return { status: 200, body: { aborted: request.signal.aborted } };
          },
        }),
      );
    },
  });
});
afterEach(() => server.stop());

const open = () => fetch(`${server.base}/v1/stream`, { headers: { authorization: 'Bearer key' } });
const gauge = (name: string) => server.host.plugins.extensions.get('metrics', name)?.collect()[0]?.value;
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('streams', () => {
  it('sends the head before the first chunk, then chunks in order, then ends', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    stream = async function* () {
      await gate;
      for (let i = 0; i < 1_000; i++) yield `${i}\n`;
    };
    const response = await open();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('traceparent')).toMatch(/^00-/);
    expect(gauge('wopr_http_open_streams')).toBe(1);
    release();
    expect(await response.text()).toBe(Array.from({ length: 1_000 }, (_, i) => `${i}\n`).join(''));
    await vi.waitFor(() => expect(gauge('wopr_http_open_streams')).toBe(0));
  });

  it('asks for no more than a slow client can take', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    let produced = 0;
    stream = async function* () {
      for (; produced < 2_000; produced++) yield chunk;
    };
    const { hostname, port } = new URL(server.base);
    const socket = connect(Number(port), hostname);
    socket.write('GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n\r\n');
    socket.pause();
    await vi.waitFor(() => expect(produced).toBeGreaterThan(0));
    let before = -1;
    // Until the buffers of both sides are full.
    await vi.waitFor(
      () => {
        const stalled = produced === before;
        before = produced;
        expect(stalled).toBe(true);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(produced).toBeLessThan(2_000);
    socket.resume();
    await vi.waitFor(() => expect(produced).toBe(2_000), { timeout: 10_000 });
    socket.destroy();
  });

  it('aborts the signal and closes the iterable when the client leaves', async () => {
    const closed = vi.fn();
    stream = async function* ({ signal }) {
      try {
        yield 'first\n';
        await aborted(signal);
        yield 'never read\n';
      } finally {
        closed();
      }
    };
    const controller = new AbortController();
    const response = await fetch(`${server.base}/v1/stream`, {
      headers: { authorization: 'Bearer key' },
      signal: controller.signal,
    });
    await response.body?.getReader().read();
    controller.abort();
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
    await vi.waitFor(() => expect(gauge('wopr_http_requests_in_flight')).toBe(0));
    expect(server.host.log).not.toContain('request failed');
  });

  it('cuts the response off when the iterable fails', async () => {
    stream = async function* () {
      yield 'first\n';
      throw new Error('broken inside');
    };
    await expect((await open()).text()).rejects.toThrow();
    await vi.waitFor(() => expect(server.host.log).toContain('broken inside'));
  });

  it('answers with an envelope when the handler fails before the stream begins', async () => {
    stream = () => {
      throw new Error('not even started');
    };
    expectEnvelope(await server.ask('/v1/stream', { as: 'key' }), 500, 'internal_error');
  });

  it('starts nothing for HEAD', async () => {
    const started = vi.fn();
    stream = async function* () {
      started();
      yield 'x';
    };
    const answer = await server.ask('/v1/stream', { method: 'HEAD', as: 'key' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(started).not.toHaveBeenCalled();
  });
});

describe('stopping', () => {
  it('ends streams and waiting requests, then takes nothing new', async () => {
    stream = async function* ({ signal }) {
      yield 'first\n';
      await aborted(signal);
      yield 'last\n';
    };
    wait = ({ signal }) => aborted(signal);
    const streaming = await open();
    const waiting = server.ask('/v1/wait', { as: 'key' });
    await vi.waitFor(() => expect(gauge('wopr_http_requests_in_flight')).toBe(2));
    const drained = server.host.plugins.drain(5_000);
    expect(await streaming.text()).toBe('first\nlast\n');
    expect(await waiting).toMatchObject({ status: 200, json: { aborted: true } });
    await drained;
    await expect(open()).rejects.toThrow();
  });

  it('finishes what is in progress, hangs up after it, and sheds what comes after on the same connection', async () => {
    let release = () => {};
    wait = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    server.host.add('routes', 'GET /alive', testRoute({ path: '/alive', scopes: null, unshedded: true }));
    const { hostname, port } = new URL(server.base);
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n\r\n`;
    let received = '';
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      received += text;
    });
    // What is still to come may be lost in the hang-up.
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(get('/v1/wait'));
    await vi.waitFor(() => expect(gauge('wopr_http_requests_in_flight')).toBe(1));
    const drained = server.host.plugins.drain(5_000);
    socket.write(get('/alive') + get('/v1/wait'));
    const counts = () => server.host.plugins.extensions.get('metrics', 'wopr_http_requests_total')?.collect();
    await vi.waitFor(() => {
      expect(counts()).toContainEqual({
        value: 1,
        labels: { method: 'GET', route: '/alive', status: '200' },
      });
      expect(counts()).toContainEqual({
        value: 1,
        labels: { method: 'GET', route: '/v1/wait', status: '503' },
      });
    });
    release();
    await closed;
    expect(received).toMatch(
      /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*connection: close\r\n(?:.*\r\n)*\r\n\{"aborted":true\}$/i,
    );
    await drained;
  });

  it('does not wait longer than its grace period for a handler that hangs', async () => {
    wait = () => new Promise(() => {});
    const waiting = server.ask('/v1/wait', { as: 'key' }).catch(() => 'cut off');
    await vi.waitFor(() => expect(gauge('wopr_http_requests_in_flight')).toBe(1));
    await server.host.stop(50);
    expect(await waiting).toBe('cut off');
    server = await startServer();
  });
});
