/** The plugin in a host, and `wopr worker` as a user meets it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { redactConfig } from '../../kernel/config/schema.ts';
import { resolveConfig } from '../../kernel/config.ts';
import { invocationOf } from '../../kernel/dispatch/contract.ts';
import type { Dispatcher } from '../../kernel/dispatch/types.ts';
import { startHost } from '../../test/support/plugin-host.ts';
import { chain, startWopr, type TestWopr } from '../../test/support/wopr.ts';
import manifest from './plugin.json' with { type: 'json' };
import { startNatsServer, type TestNatsServer } from './test-server.ts';
import { TestQueue } from './testing.ts';

const MAIN = fileURLToPath(new URL('../../kernel/main.ts', import.meta.url));
const SOON = { timeout: 15_000 };
const never = new AbortController().signal;
const logger = pino({ level: 'silent' });

let server: TestNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

/** `wopr worker` in a process of its own; its log as parsed lines. */
function woprWorker(args: readonly string[], env: Record<string, string>) {
  const cwd = mkdtempSync(join(tmpdir(), 'wopr-worker-'));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENWOP_'));
  const child = spawn(process.execPath, [MAIN, 'worker', ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const text: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => text.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  cleanUp.push(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(cwd, { recursive: true, force: true });
  });
  const log = () =>
    text.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, text, log, ended };
}

async function hostOn(queue: string): Promise<TestWopr> {
  const wopr = await startWopr({
    config: {
      'dispatch.dispatcher': 'nats',
      'engine.inline': false,
      'plugins.nats.enabled': true,
      'plugins.nats.config': { url: server.url, queue },
    },
  });
  cleanUp.push(() => wopr.stop());
  return wopr;
}

describe('wopr worker', () => {
  it('executes the nodes of runs that a host dispatches, and stops when told to', async () => {
    const queue = 'of-a-test';
    const wopr = await hostOn(queue);
    await wopr.post('/v1/workflows', chain('remote', [{ typeId: 'core.noop' }, { typeId: 'core.noop' }]));
    const runId = await wopr.run('remote');
    const worker = woprWorker(['--queue', queue, '--concurrency', '3', '--log-level', 'info'], {
      OPENWOP_NATS_URL: server.url,
    });
    expect(await wopr.finished(runId)).toMatchObject({ status: 'completed' });
    expect(worker.log()).toContainEqual(
      expect.objectContaining({ msg: 'worker is ready', queue, concurrency: 3 }),
    );
    const metrics = wopr.kernel.extensions.get('metrics', 'wopr_nats_outcomes_total');
    expect(metrics?.collect()).toContainEqual({ value: 2, labels: { receipt: 'accepted' } });
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(worker.log().at(-1)).toMatchObject({ msg: 'worker has stopped', queue, done: 2 });
  });

  it('says what is wrong when there is no server', async () => {
    const worker = woprWorker([], { OPENWOP_NATS_URL: 'nats://127.0.0.1:1' });
    expect(await worker.ended).toBe(2);
    expect(worker.text[0]).toMatch(
      /^wopr: plugins\.nats\.config: cannot connect to nats:\/\/127\.0\.0\.1:1 \(.*refused.*\)\.$/,
    );
  });

  it.each(['0', '1.5', 'many'])('refuses --concurrency %s', async (concurrency) => {
    const worker = woprWorker(['--concurrency', concurrency], {});
    expect(await worker.ended).toBe(2);
    expect(worker.text[0]).toBe(`wopr: --concurrency must be a whole number from 1, not "${concurrency}"`);
  });
});

describe('the plugin', () => {
  const start = async (config: Record<string, string | number>, on = server) => {
    const host = await startHost({
      plugins: ['nats'],
      config: { 'plugins.nats.enabled': true, 'plugins.nats.config': { url: on.url, ...config } },
    });
    cleanUp.push(() => host.stop());
    const factory = host.plugins.extensions.get('dispatchers', 'nats');
    const create = async (): Promise<Dispatcher> => {
      if (!factory) throw new Error('no dispatcher is contributed');
      const dispatcher = await factory.create({ nodeTypes: () => undefined, logger });
      cleanUp.push(() => dispatcher.stop(0));
      return dispatcher;
    };
    return { host, create, health: () => host.plugins.extensions.get('healthChecks', 'nats')?.check() };
  };

  it('is healthy while unused and while connected, degraded in between', async () => {
    const own = await startNatsServer();
    cleanUp.push(() => own.stop());
    const { create, health, host } = await start({ queue: 'health' }, own);
    expect(health()).toEqual({ status: 'ok', detail: 'not used for dispatch' });
    const connected = host.plugins.extensions.get('metrics', 'wopr_nats_connected');
    expect(connected?.collect()).toEqual([]);
    await create();
    expect(health()).toEqual({ status: 'ok' });
    await own.down();
    await expect.poll(health, SOON).toMatchObject({ status: 'degraded' });
    expect(connected?.collect()).toEqual([{ value: 0 }]);
    await own.start();
    await expect.poll(health, SOON).toEqual({ status: 'ok' });
  });

  it('leaves nothing behind', async () => {
    const { host, create } = await start({ queue: 'leaves' });
    const dispatcher = await create();
    const worker = await host.plugins.service('natsWorkers')?.start({ nodeTypes: () => undefined });
    await host.plugins.stop('nats');
    expect(await worker?.closed).toBeUndefined();
    await expect(dispatcher.dispatch(invocationOf('test.node'), never)).rejects.toMatchObject({
      code: 'service_unavailable',
    });
    expect(host.plugins.effects()).toEqual([]);
    expect(host.plugins.extensions.list('dispatchers')).toEqual([]);
  });

  it('counts offers, outcomes and open invocations', async () => {
    const { create, host } = await start({ queue: 'counts', maxPending: 1 });
    const queue = new TestQueue(server.url, { prefix: 'wopr', queue: 'counts', maxPending: 1 });
    cleanUp.push(() => queue.stop());
    const dispatcher = await create();
    const samples = (name: string) => host.plugins.extensions.get('metrics', name)?.collect();
    const outcome = dispatcher.dispatch(invocationOf('test.none'), never);
    await expect
      .poll(() => samples('wopr_nats_invocations_open'), SOON)
      .toEqual([
        { value: 1, labels: { state: 'accepted' } },
        { value: 0, labels: { state: 'offered' } },
      ]);
    await queue.worker([]);
    expect(await outcome).toMatchObject({ error: { code: 'unsupported_node_type' } });
    expect(samples('wopr_nats_dispatched_total')).toEqual([{ value: 1 }]);
    expect(samples('wopr_nats_outcomes_total')).toEqual([
      { value: 1, labels: { receipt: 'accepted' } },
      { value: 0, labels: { receipt: 'dropped' } },
    ]);
  });

  it('refuses a stream that is something else', async () => {
    const queue = new TestQueue(server.url, { prefix: 'wopr', queue: 'taken' });
    await queue.admin(({ streams }) => streams.add({ name: 'wopr_work_taken', subjects: ['elsewhere'] }));
    const { create } = await start({ queue: 'taken' });
    await expect(create()).rejects.toMatchObject({
      code: 'config_invalid',
      message:
        'plugins.nats.config: stream "wopr_work_taken" exists with retention limits instead of workqueue; use another prefix or queue.',
    });
  });

  it('lets the queue bound follow the configuration', async () => {
    const queue = new TestQueue(server.url, { prefix: 'wopr', queue: 'bound' });
    for (const maxPending of [10, 20]) {
      const { create, host } = await start({ queue: 'bound', maxPending });
      await create();
      const { config } = await queue.admin(({ streams }) => streams.info('wopr_work_bound'));
      expect(config.max_msgs).toBe(maxPending);
      await host.plugins.stop('nats');
    }
  });
});

describe('credentials', () => {
  it('are used, never shown', async () => {
    const guarded = await startNatsServer(['--user', 'wopr', '--pass', 'right-one']);
    cleanUp.push(() => guarded.stop());
    const start = (password: string) =>
      new TestQueue(guarded.url, { user: 'wopr', password, queue: 'guarded' }).host(logger);
    await expect(start('wrong-one')).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.not.stringContaining('wrong-one'),
    });
    const dispatcher = await start('right-one');
    expect(dispatcher.connected).toBe(true);
    await dispatcher.stop(0);
  });

  it('belong into keys of their own, which are hidden when the configuration is shown', () => {
    const { config } = resolveConfig({ cwd: '/', flags: { 'plugins.nats.config.password': 'hush' } });
    const shown = redactConfig(config, [manifest as never]);
    expect(shown.plugins.nats?.config).toEqual({ password: '[redacted]' });
    expect(new RegExp(manifest.config.properties.url.pattern).test('nats://me:hush@host:4222')).toBe(false);
    expect(new RegExp(manifest.config.properties.url.pattern).test('tls://a:4222,tls://b:4222')).toBe(true);
  });
});
