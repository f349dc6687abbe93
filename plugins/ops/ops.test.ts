import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../kernel/plugin/points/operations.ts';
import type { HostService } from '../../kernel/plugin/types.ts';
import { startHost, type TestHost, testHostService } from '../../test/support/plugin-host.ts';

let host: TestHost | undefined;
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

interface Facts {
  phase: HostService['phase'];
  plugins: HostService['plugins'];
}

async function start(config: Record<string, string | number | boolean> = {}) {
  const facts: Facts = { phase: 'ready', plugins: [] };
  const service: HostService = {
    ...testHostService(),
    get phase() {
      return facts.phase;
    },
    get plugins() {
      return facts.plugins;
    },
  };
  const started = await startHost({
    plugins: ['http', 'ops'],
    services: { host: service },
    config: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`plugins.ops.config.${key}`, value]),
    ),
  });
  host = started;
  const ops = started.plugins.service('ops');
  const main = started.plugins.service('httpServer')?.address();
  return {
    facts,
    host: started,
    address: () => ops?.address(),
    ops: (path: string, init: RequestInit = {}) => fetch(`${ops?.address()}${path}`, init),
    main: (path: string) => fetch(`${main}${path}`),
  };
}

const check = (name: string, run: HealthCheck['check']): HealthCheck => ({ name, check: run });

describe('liveness', () => {
  it('is answered on both ports, whatever the phase', async () => {
    const { facts, ops, main } = await start();
    for (const phase of ['starting', 'ready', 'stopping'] as const) {
      facts.phase = phase;
      for (const answer of [await ops('/healthz'), await main('/healthz')]) {
        expect(answer.status).toBe(200);
        expect(await answer.json()).toEqual({ status: 'alive' });
      }
    }
  });
});

describe('readiness', () => {
  it('follows the phase', async () => {
    const { facts, ops, main } = await start();
    expect((await main('/readyz')).status).toBe(200);
    expect(await (await ops('/readyz')).json()).toEqual({
      status: 'ready',
      phase: 'ready',
      plugins: [],
      checks: [{ name: 'ops-server', status: 'ok' }],
    });
    for (const phase of ['starting', 'stopping'] as const) {
      facts.phase = phase;
      for (const answer of [await ops('/readyz'), await main('/readyz')]) {
        expect(answer.status).toBe(503);
        expect(await answer.json()).toMatchObject({ status: 'unavailable', phase });
      }
    }
  });

  it('counts failed checks, shows degraded ones, and tells details only on the ops port', async () => {
    const { facts, host: started, ops, main } = await start();
    facts.plugins = [
      { name: 'fine', version: '1.0.0', state: 'active' },
      { name: 'off', version: '1.0.0', state: 'disabled' },
      { name: 'broken', version: '1.0.0', state: 'degraded', reason: 'activate: /secret/path is missing' },
    ];
    started.add(
      'healthChecks',
      'disk',
      check('disk', () => ({ status: 'degraded', detail: '/secret/path is full' })),
    );
    const degraded = await ops('/readyz');
    expect(degraded.status).toBe(200);
    expect(await degraded.json()).toMatchObject({
      status: 'degraded',
      plugins: [{ name: 'broken', state: 'degraded', reason: 'activate: /secret/path is missing' }],
      checks: [{ name: 'ops-server' }, { name: 'disk', status: 'degraded', detail: '/secret/path is full' }],
    });
    const open = await main('/readyz');
    expect(open.status).toBe(200);
    const text = await open.text();
    expect(JSON.parse(text)).toMatchObject({
      status: 'degraded',
      plugins: [{ name: 'broken', state: 'degraded' }],
      checks: [{ name: 'ops-server' }, { name: 'disk', status: 'degraded' }],
    });
    expect(text).not.toContain('secret');

    const remove = started.add(
      'healthChecks',
      'store',
      check('store', () => ({ status: 'failed' })),
    );
    expect((await main('/readyz')).status).toBe(503);
    remove();
    started.add(
      'healthChecks',
      'thrower',
      check('thrower', () => {
        throw new Error('cannot look');
      }),
    );
    const thrown = await ops('/readyz');
    expect(thrown.status).toBe(503);
    expect(await thrown.text()).toContain('the check itself failed: cannot look');
  });
});

describe('metrics', () => {
  it('are those of the process and of plugins, in Prometheus text', async () => {
    const { host: started, ops, main } = await start();
    await main('/healthz');
    started.add('metrics', 'wopr_test_things', {
      name: 'wopr_test_things',
      help: 'Things.',
      type: 'gauge',
      collect: () => [{ value: 2, labels: { kind: 'a "quoted" one' } }, { value: 0.5 }],
    });
    started.add('metrics', 'wopr_test_broken', {
      name: 'wopr_test_broken',
      help: 'Never seen.',
      type: 'counter',
      collect: () => {
        throw new Error('cannot count');
      },
    });
    const answer = await ops('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await answer.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^process_cpu_seconds_total \d/),
        '# HELP wopr_test_things Things.',
        '# TYPE wopr_test_things gauge',
        'wopr_test_things{kind="a \\"quoted\\" one"} 2',
        'wopr_test_things 0.5',
        '# TYPE wopr_http_request_duration_seconds histogram',
        'wopr_http_request_duration_seconds_bucket{method="GET",route="/healthz",le="+Inf"} 1',
        'wopr_http_request_duration_seconds_count{method="GET",route="/healthz"} 1',
        'wopr_http_requests_total{method="GET",route="/healthz",status="200"} 1',
      ]),
    );
    expect(lines.join('\n')).not.toContain('wopr_test_broken');
    expect(started.log).toContain('cannot count');
  });

  it('are not on the main port', async () => {
    const { main } = await start();
    expect((await main('/metrics')).status).toBe(400);
  });
});

describe('ops port', () => {
  it('knows its paths and methods', async () => {
    const { ops } = await start();
    expect((await ops('/')).status).toBe(404);
    expect((await ops('/constructor')).status).toBe(404);
    const posted = await ops('/healthz', { method: 'POST' });
    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toBe('GET, HEAD');
    expect((await ops('/healthz?x=1', { method: 'HEAD' })).status).toBe(200);
  });

  it('can be left out', async () => {
    const { address, main } = await start({ server: false });
    expect(address()).toBeUndefined();
    expect((await main('/readyz')).status).toBe(200);
  });

  it('does not keep the host from starting when it is taken: degraded, and saying why', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { host: started, address, main } = await start({ port });
    expect(address()).toBeUndefined();
    const answer = await main('/readyz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      status: 'degraded',
      checks: [{ name: 'ops-server', status: 'degraded' }],
    });
    expect(started.log).toContain(`the ops port 127.0.0.1:${port} cannot be opened`);
    expect(started.log).toContain('set plugins.ops.config.port');
    other.close();
  });

  it('closes with its plugin, and nothing is left', async () => {
    const { host: started, ops } = await start();
    expect((await ops('/healthz')).status).toBe(200);
    const { plugins } = started;
    await plugins.stop('ops');
    expect(plugins.effects().filter((effect) => effect.startsWith('ops'))).toEqual([]);
    await expect(ops('/healthz')).rejects.toThrow();
  });
});
