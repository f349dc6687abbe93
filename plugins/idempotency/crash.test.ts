import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import { startWopr } from '../../test/support/wopr.ts';
import { reservedRunId } from './contract.ts';
import { errorOf, replayOf, testHosts } from './testing.ts';

const BODY = { workflowId: 'w' };

describe('two hosts on one store', () => {
  let hosts: ReturnType<typeof testHosts>;
  beforeEach(() => {
    hosts = testHosts();
  });
  afterEach(() => hosts.remove());

  test('a duplicate sent to the other host waits for the answer of the first', async () => {
    const [one, two] = [hosts.host({ now: Date.now }), hosts.host({ now: Date.now })];
    const answer = Promise.withResolvers<RouteResponse>();
    const started = Promise.withResolvers<void>();
    const first = one.ask({ key: 'k', body: BODY }, () => {
      started.resolve();
      return answer.promise;
    });
    await started.promise;
    let executed = 0;
    const second = two.ask({ key: 'k', body: BODY }, () => {
      executed++;
      return { status: 201, body: { from: 'two' } };
    });
    answer.resolve({ status: 201, body: { from: 'one' } });
    await first;
    expect(await second).toMatchObject({ status: 201, json: '{"from":"one"}' });
    expect(executed).toBe(0);
  });

  test('ten requests spread over both are executed once', async () => {
    const pair = [hosts.host({ now: Date.now }), hosts.host({ now: Date.now })] as const;
    let executed = 0;
    const asks = Array.from({ length: 10 }, (_, i) =>
      pair[i % 2 === 0 ? 0 : 1].ask({ key: 'k', body: BODY }, () => {
        executed++;
        return { status: 201, body: { executed } };
      }),
    );
    const answers = await Promise.all(asks);
    expect(executed).toBe(1);
    expect(new Set(answers.map(({ json }) => json))).toEqual(new Set(['{"executed":1}']));
  });

  /** A host that took the key and was never heard of again. */
  async function abandoned(seen: (request: RouteRequest) => void) {
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<RouteResponse>();
    const dead = hosts.host();
    const answer = dead.ask({ key: 'k', body: BODY }, (request) => {
      seen(request);
      started.resolve();
      return release.promise;
    });
    await started.promise;
    return { answer, release: release.resolve };
  }

  test('the key of a dead host is taken over after its lease, with the same run id, by one of many', async () => {
    const ids: (string | undefined)[] = [];
    await abandoned((request) => ids.push(reservedRunId(request)));
    const impatient = hosts.host({ waitMs: 0 });
    hosts.clock.now += 9_999;
    const early = await errorOf(impatient.ask({ key: 'k', body: BODY }, () => ({ status: 201 })));
    expect(early.code).toBe('idempotency_in_flight');

    hosts.clock.now += 1;
    const other = await errorOf(
      impatient.ask({ key: 'k', body: { workflowId: 'x' } }, () => ({ status: 201 })),
    );
    expect(other.code).toBe('idempotency_key_mismatch');
    const survivors = [hosts.host(), hosts.host(), hosts.host()];
    const handler = (request: RouteRequest) => {
      ids.push(reservedRunId(request));
      return { status: 201, body: { runId: ids[0] ?? '' } };
    };
    const answers = await Promise.all(survivors.map((host) => host.ask({ key: 'k', body: BODY }, handler)));
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
    expect(answers.filter((answer) => replayOf(answer) === 'false')).toHaveLength(1);
  });

  test('a host that was only slow does not overwrite the answer given instead of it', async () => {
    const slow = await abandoned(() => {});
    hosts.clock.now += 10_000;
    await hosts.host().ask({ key: 'k', body: BODY }, () => ({ status: 201, body: { from: 'heir' } }));
    slow.release({ status: 201, body: { from: 'slow' } });
    await slow.answer;
    const replayed = await hosts.host().ask({ key: 'k', body: BODY }, () => ({ status: 500 }));
    expect(replayed.json).toBe('{"from":"heir"}');
  });

  test('a renewed lease is not taken over', async () => {
    const busy = hosts.host();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<RouteResponse>();
    const answer = busy.ask({ key: 'k', body: BODY }, () => {
      started.resolve();
      return release.promise;
    });
    await started.promise;
    hosts.clock.now += 9_000;
    await busy.entries.renew(busy.idempotency.executing());
    hosts.clock.now += 9_000;
    const error = await errorOf(
      hosts.host({ waitMs: 0 }).ask({ key: 'k', body: BODY }, () => ({ status: 201 })),
    );
    expect(error.code).toBe('idempotency_in_flight');
    release.resolve({ status: 201 });
    await answer;
  });

  test('after a takeover, a refusal does not forget that a run may exist', async () => {
    const ids: (string | undefined)[] = [];
    await abandoned((request) => ids.push(reservedRunId(request)));
    hosts.clock.now += 10_000;
    const heir = hosts.host();
    const refused = await heir.ask({ key: 'k', body: BODY }, () => ({ status: 400, body: {} }));
    expect(refused.status).toBe(400);
    await heir.ask({ key: 'k', body: BODY }, (request) => {
      ids.push(reservedRunId(request));
      return { status: 201 };
    });
    expect(ids[1]).toBe(ids[0]);
  });
});

describe('a host killed between creating the run and storing the answer', () => {
  test('the retry after its restart gets the same run', { timeout: 60_000 }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'wopr-idempotency-'));
    const script = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    let reported = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      reported += chunk;
    });
    const [, killedBy] = await once(child, 'exit');
    expect(killedBy).toBe('SIGKILL');
    const runId = reported.trim();
    expect(runId).toMatch(/^run_/);

    const wopr = await startWopr({ dataDir, config: { 'plugins.idempotency.config.leaseMs': 500 } });
    try {
      const ask = () =>
        wopr.post(
          '/v1/runs',
          { workflowId: 'conformance-noop' },
          { headers: { 'idempotency-key': 'survives' } },
        );
      const retried = await ask();
      expect(retried).toMatchObject({ status: 201, json: { runId } });
      const replayed = await ask();
      expect(replayed.headers['openwop-idempotent-replay']).toBe('true');
      expect(replayed.json).toEqual(retried.json);
      expect((await wopr.ask('/v1/runs')).json.runs).toHaveLength(1);
      expect(await wopr.finished(runId)).toMatchObject({ status: 'completed' });
    } finally {
      await wopr.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe('over HTTP', () => {
  test('ten parallel requests make one run, on one host and across two', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'wopr-idempotency-'));
    const one = await startWopr({ dataDir });
    const two = await startWopr({ dataDir });
    try {
      const body = { workflowId: 'conformance-noop' };
      const asks = Array.from({ length: 10 }, (_, i) =>
        (i % 2 === 0 ? one : two).post('/v1/runs', body, { headers: { 'idempotency-key': 'ten' } }),
      );
      const answers = await Promise.all(asks);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      expect(new Set(answers.map(({ json }) => json.runId)).size).toBe(1);
      expect((await one.ask('/v1/runs')).json.runs).toHaveLength(1);
    } finally {
      await two.stop();
      await one.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('is advertised, and counted', async () => {
    const wopr = await startWopr();
    try {
      const discovery = await wopr.ask('/.well-known/openwop');
      expect(discovery.json.idempotency).toEqual({
        supported: true,
        layer1RetentionSeconds: 86_400,
        crossRegion: 'single-region',
      });
      const keyed = { headers: { 'idempotency-key': 'k' } };
      await wopr.post('/v1/runs/none/cancel', undefined, keyed);
      const again = await wopr.post('/v1/runs/none/cancel', undefined, keyed);
      expect(again).toMatchObject({ status: 404, json: { error: 'not_found' } });
      expect(again.headers['openwop-idempotent-replay']).toBe('true');
      const [metric] = wopr.kernel.extensions
        .list('metrics')
        .filter(({ id }) => id === 'wopr_idempotency_requests_total');
      expect(metric?.value.collect()).toEqual([
        { value: 1, labels: { outcome: 'executed' } },
        { value: 1, labels: { outcome: 'replayed' } },
      ]);
    } finally {
      await wopr.stop();
    }
  });
});
