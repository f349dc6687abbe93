import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ErrorCode, WoprError } from '../../kernel/errors.ts';
import type { RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import { reservedRunId } from './contract.ts';
import { CALLER, errorOf, replayOf, type TestHost, testHosts } from './testing.ts';

let hosts: ReturnType<typeof testHosts>;
let host: TestHost;
beforeEach(() => {
  hosts = testHosts();
  host = hosts.host();
});
afterEach(() => hosts.remove());

/** Answers with how often it was executed. */
function counter(status = 201): { (): RouteResponse; calls: number } {
  const handler = () => {
    handler.calls++;
    return { status, body: { call: handler.calls } };
  };
  handler.calls = 0;
  return handler;
}

/** A handler that waits until the test lets it go. */
function gate() {
  const started = Promise.withResolvers<void>();
  const open = Promise.withResolvers<RouteResponse>();
  return {
    started: started.promise,
    open: open.resolve,
    fail: open.reject,
    handler: () => {
      started.resolve();
      return open.promise;
    },
  };
}

const failing = (code: ErrorCode) => (): RouteResponse => {
  throw new WoprError(code, `It is ${code}.`, { details: { why: code } });
};

const BODY = { workflowId: 'w', inputs: { a: 1, b: 2 } };

describe('the key', () => {
  test.each(['', ' ', 'x'.repeat(256), 'tab\there', 'é', 'nul\0'])(
    '%j is refused and not stored',
    async (key) => {
      const handler = counter();
      const error = await errorOf(host.ask({ key, body: BODY }, handler));
      expect(error.code).toBe('validation_error');
      expect(handler.calls).toBe(0);
    },
  );

  test.each(['x', 'x'.repeat(255), 'with space', '~!"/:'])('%j is accepted', async (key) => {
    const response = await host.ask({ key, body: BODY }, counter());
    expect(replayOf(response)).toBe('false');
  });

  test('is neither needed nor honoured on GET', async () => {
    const handler = counter(200);
    for (let i = 1; i <= 2; i++) {
      const response = await host.ask({ key: 'k', method: 'GET' }, handler);
      expect(response).toEqual({ status: 200, body: { call: i } });
    }
  });

  test('is not needed: without it every request is executed', async () => {
    const handler = counter();
    await host.ask({ body: BODY }, handler);
    await host.ask({ body: BODY }, handler);
    expect(handler.calls).toBe(2);
  });

  test('means something else on another path, method, tenant, or for test keys', async () => {
    const handler = counter(200);
    const asked = { key: 'k', body: BODY };
    await host.ask(asked, handler);
    await host.ask({ ...asked, path: '/v1/runs/a/cancel' }, handler);
    await host.ask({ ...asked, path: '/v1/runs/b/cancel' }, handler);
    await host.ask({ ...asked, path: '/v1/runs/b/cancel', method: 'DELETE' }, handler);
    await host.ask({ ...asked, caller: { ...CALLER, tenantId: 'other' } }, handler);
    await host.ask({ ...asked, caller: { ...CALLER, test: true } }, handler);
    expect(handler.calls).toBe(6);
    // Another credential of the same tenant is the same caller.
    const replayed = await host.ask({ ...asked, caller: { ...CALLER, keyId: 'rotated' } }, handler);
    expect(replayOf(replayed)).toBe('true');
  });
});

describe('decisions (HTTP §8.3)', () => {
  test('no entry: executes, and says so', async () => {
    const response = await host.ask({ key: 'k', body: BODY }, counter());
    expect(response).toMatchObject({ status: 201, json: '{"call":1}' });
    expect(replayOf(response)).toBe('false');
  });

  test('same key and body: the stored status, headers and body, at least 20 times, but no cookies', async () => {
    const handler = (): RouteResponse => ({
      status: 202,
      headers: { location: '/here', 'Set-Cookie': 'secret=1' },
      body: { z: 1, a: 'ü' },
    });
    const first = await host.ask({ key: 'k', body: BODY }, handler);
    for (let i = 0; i < 20; i++) {
      const again = await host.ask({ key: 'k', body: BODY }, () => ({ status: 500 }));
      expect(again).toMatchObject({ status: first.status, json: first.json, headers: { location: '/here' } });
      expect(again.headers).not.toHaveProperty('Set-Cookie');
      expect(replayOf(again)).toBe('true');
    }
    expect(host.outcomes.filter((outcome) => outcome === 'executed')).toHaveLength(1);
  });

  test('text and empty answers are replayed as they were', async () => {
    const text = { status: 200, headers: { 'content-type': 'text/plain' }, text: 'done' };
    await host.ask({ key: 'text' }, () => text);
    expect(await host.ask({ key: 'text' }, counter())).toMatchObject(text);
    await host.ask({ key: 'none', method: 'DELETE' }, () => ({ status: 204 }));
    const none = await host.ask({ key: 'none', method: 'DELETE' }, counter());
    expect(Object.keys(none).sort()).toEqual(['headers', 'status']);
    expect(none.status).toBe(204);
  });

  test('the order of members does not make another body', async () => {
    await host.ask({ key: 'k', body: BODY }, counter());
    const again = await host.ask({ key: 'k', body: { inputs: { b: 2, a: 1 }, workflowId: 'w' } }, counter());
    expect(replayOf(again)).toBe('true');
  });

  test.each([[{ ...BODY, extra: null }], [{ ...BODY, inputs: { a: 1, b: '2' } }], [[BODY]], [undefined]])(
    'same key, other body %j, first finished: mismatch, and the stored answer stays',
    async (other) => {
      await host.ask({ key: 'k', body: BODY }, counter());
      const handler = counter();
      const error = await errorOf(
        host.ask({ key: 'k', ...(other === undefined ? {} : { body: other }) }, handler),
      );
      expect(error.code).toBe('idempotency_key_mismatch');
      expect(handler.calls).toBe(0);
      expect(replayOf(await host.ask({ key: 'k', body: BODY }, handler))).toBe('true');
    },
  );

  test('still executing: the duplicate waits and gets the same answer', async () => {
    const first = gate();
    const answer = host.ask({ key: 'k', body: BODY }, first.handler);
    await first.started;
    const handler = counter();
    const duplicate = host.ask({ key: 'k', body: BODY }, handler);
    first.open({ status: 201, body: { runId: 'r' } });
    expect((await answer).json).toBe('{"runId":"r"}');
    expect(await duplicate).toMatchObject({ status: 201, json: '{"runId":"r"}' });
    expect(replayOf(await duplicate)).toBe('true');
    expect(handler.calls).toBe(0);
  });

  test('still executing when the wait is over: in flight, with a time to come back', async () => {
    const impatient = hosts.host({ waitMs: 0 });
    const first = gate();
    const answer = impatient.ask({ key: 'k', body: BODY }, first.handler);
    await first.started;
    const error = await errorOf(impatient.ask({ key: 'k', body: BODY }, counter()));
    expect(error.code).toBe('idempotency_in_flight');
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.details?.retryAfter).toBe(error.retryAfterSeconds);
    first.open({ status: 201, body: {} });
    await answer;
    expect(replayOf(await impatient.ask({ key: 'k', body: BODY }, counter()))).toBe('true');
  });

  test('same key, other body, first in flight: in flight at once, afterwards mismatch', async () => {
    const first = gate();
    const answer = host.ask({ key: 'k', body: BODY }, first.handler);
    await first.started;
    const other = { key: 'k', body: { workflowId: 'other' } };
    for (const asker of [host, hosts.host()])
      expect((await errorOf(asker.ask(other, counter()))).code).toBe('idempotency_in_flight');
    first.open({ status: 201, body: {} });
    await answer;
    expect((await errorOf(host.ask(other, counter()))).code).toBe('idempotency_key_mismatch');
  });

  test('expired: as good as new, and the purge removes it', async () => {
    const handler = counter();
    await host.ask({ key: 'k', body: BODY }, handler);
    hosts.clock.now += 86_399_999;
    expect(replayOf(await host.ask({ key: 'k', body: BODY }, handler))).toBe('true');
    hosts.clock.now += 1;
    expect(replayOf(await host.ask({ key: 'k', body: { workflowId: 'other' } }, handler))).toBe('false');
    await host.ask({ key: 'l', body: BODY }, handler);
    hosts.clock.now += 86_400_000;
    expect(await host.entries.purge(new AbortController().signal)).toBe(2);
  });

  test('beyond maxEntries the oldest are forgotten', async () => {
    const small = hosts.host({ maxEntries: 3 });
    const handler = counter();
    for (const key of ['a', 'b', 'c', 'd']) await small.ask({ key, body: BODY }, handler);
    expect(replayOf(await small.ask({ key: 'b', body: BODY }, handler))).toBe('true');
    expect(replayOf(await small.ask({ key: 'a', body: BODY }, handler))).toBe('false');
  });

  test('ten at once: one execution, ten equal answers', async () => {
    const handler = counter();
    const asks = Array.from({ length: 10 }, () => host.ask({ key: 'k', body: BODY }, handler));
    const answers = await Promise.all(asks);
    expect(handler.calls).toBe(1);
    expect(new Set(answers.map(({ status, json }) => `${status} ${json}`))).toEqual(
      new Set(['201 {"call":1}']),
    );
    expect(answers.filter((answer) => replayOf(answer) === 'false')).toHaveLength(1);
  });

  test('a client that goes away while it waits is let go', async () => {
    const first = gate();
    const answer = host.ask({ key: 'k', body: BODY }, first.handler);
    await first.started;
    const client = new AbortController();
    const waiting = errorOf(host.ask({ key: 'k', body: BODY, signal: client.signal }, counter()));
    client.abort();
    expect((await waiting).code).toBe('service_unavailable');
    first.open({ status: 201, body: {} });
    await answer;
  });
});

describe('what is remembered (HTTP §8.4)', () => {
  test.each([200, 201, 202, 204])('%i is final', async (status) => {
    const handler = counter(status);
    await host.ask({ key: 'k', body: BODY }, handler);
    expect(replayOf(await host.ask({ key: 'k', body: BODY }, handler))).toBe('true');
    expect(handler.calls).toBe(1);
  });

  test.each(['not_found', 'conflict', 'gone'] as const)('%s is final, thrown as it is', async (code) => {
    const { status } = new WoprError(code, '').entry;
    const first = await host.ask({ key: 'k', body: BODY }, failing(code));
    expect(first).toMatchObject({
      status,
      json: JSON.stringify({ error: code, message: `It is ${code}.`, details: { why: code } }),
    });
    expect(replayOf(first)).toBe('false');
    const again = await host.ask({ key: 'k', body: BODY }, counter());
    expect(again).toMatchObject({ status, json: first.json });
    expect(replayOf(again)).toBe('true');
  });

  test.each([404, 409, 410, 422])('a returned %i is final', async (status) => {
    await host.ask({ key: 'k', body: BODY }, () => ({ status, json: '{}' }));
    expect(replayOf(await host.ask({ key: 'k', body: BODY }, counter()))).toBe('true');
  });

  test.each(['validation_error', 'unauthenticated', 'forbidden', 'mock_provider_forbidden'] as const)(
    '%s releases the key, even for another body',
    async (code) => {
      expect((await errorOf(host.ask({ key: 'k', body: { bad: true } }, failing(code)))).code).toBe(code);
      const fresh = await host.ask({ key: 'k', body: BODY }, counter());
      expect(fresh.status).toBe(201);
      expect(replayOf(fresh)).toBe('false');
    },
  );

  test.each([
    'rate_limited',
    'service_unavailable',
    'internal_error',
    'run_already_active',
    'request_timeout',
  ] as const)(
    '%s is executed again with the same run id, until it succeeds; another body does not get in',
    async (code) => {
      const ids: (string | undefined)[] = [];
      const seen = (request: RouteRequest) => ids.push(reservedRunId(request));
      for (let i = 0; i < 5; i++) {
        const failed = host.ask({ key: 'k', body: BODY }, (request) => {
          seen(request);
          return failing(code)();
        });
        expect((await errorOf(failed)).code).toBe(code);
      }
      const other = errorOf(host.ask({ key: 'k', body: { workflowId: 'other' } }, counter()));
      expect((await other).code).toBe('idempotency_key_mismatch');
      const won = await host.ask({ key: 'k', body: BODY }, (request) => {
        seen(request);
        return { status: 201, body: {} };
      });
      expect(replayOf(won)).toBe('false');
      expect(ids).toHaveLength(6);
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(/^run_/);
      expect(replayOf(await host.ask({ key: 'k', body: BODY }, counter()))).toBe('true');
    },
  );

  test('an unexpected failure and a stream are not stored', async () => {
    const failed = errorOf(
      host.ask({ key: 'k', body: BODY }, () => {
        throw new TypeError('a bug');
      }),
    );
    expect(await failed).toBeInstanceOf(TypeError);
    async function* stream() {
      yield 'x';
    }
    await host.ask({ key: 'k', body: BODY }, () => ({ status: 200, stream: stream() }));
    const handler = counter();
    await host.ask({ key: 'k', body: BODY }, handler);
    expect(handler.calls).toBe(1);
  });

  test('only creating a run reserves a run id', async () => {
    const ids: (string | undefined)[] = [];
    const handler = (request: RouteRequest) => {
      ids.push(reservedRunId(request));
      return { status: 200 };
    };
    await host.ask({ key: 'k', path: '/v1/runs/r/cancel' }, handler);
    await host.ask({ body: BODY }, handler);
    await host.ask({ key: 'k', body: BODY }, handler);
    expect(ids).toEqual([undefined, undefined, expect.stringMatching(/^run_/)]);
  });
});
