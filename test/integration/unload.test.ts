// Stops the built-in plugins of a running host one by one and looks for anything they left behind.
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Pool } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Kernel } from '../../kernel/kernel.ts';
import { EXTENSION_POINTS } from '../../kernel/plugin/points/rules.ts';
import '../../plugins/ops/contract.ts';
import { noop, workflow } from '../faults/workflows.ts';
import { startWopr, type TestWopr } from '../support/wopr.ts';

const waiting = workflow('waiting', [['wait', 'core.delay', { delayMs: 60_000 }]], []);

/** Intervals that were started and not cleared; `process.getActiveResourcesInfo` does not show those that let the process end. */
const intervals = new Set<unknown>();
const { setInterval: originalSet, clearInterval: originalClear } = globalThis;

let wopr: TestWopr | undefined;
let pool: Pool;
beforeEach(() => {
  globalThis.setInterval = ((...given: Parameters<typeof setInterval>) => {
    const interval = originalSet(...given);
    intervals.add(interval);
    return interval;
  }) as typeof setInterval;
  globalThis.clearInterval = (interval) => {
    intervals.delete(interval);
    originalClear(interval);
  };
});
afterEach(async () => {
  globalThis.setInterval = originalSet;
  globalThis.clearInterval = originalClear;
  if (!pool.destroyed) await pool.destroy();
  await wopr?.stop();
});

it('leaves nothing of any plugin', { timeout: 60_000 }, async () => {
  wopr = await startWopr();
  pool = new Pool(wopr.base);
  const { kernel, base } = wopr;
  for (const definition of [noop, waiting]) await post('/v1/workflows', definition, 201);
  const runId = (await post('/v1/runs', { workflowId: 'waiting' }, 201)).runId;
  // Requests in progress when their plugin goes.
  const stream = get(`/v1/runs/${runId}/events`);
  const poll = get(`/v1/runs/${runId}/events/poll?lastSequence=100&timeout=60`);

  const active = kernel.plugins.status().filter(({ state }) => state === 'active');
  // The server goes last and what describes the host before it, so that both can be asked about the others.
  const order = active.map(({ name }) => name).sort((a, b) => rank(a) - rank(b));
  expect(order.length).toBeGreaterThan(10);
  const ops = kernel.service('ops')?.address();
  expect(ops).toBeDefined();

  for (const name of order) {
    const routes = kernel.extensions.list('routes').filter(({ plugin }) => plugin === name);
    const capabilities = capabilitiesOnlyOf(kernel, name);
    const before = name === 'http' ? {} : await discovery();
    await kernel.plugins.stop(name);

    for (const point of EXTENSION_POINTS)
      expect(kernel.extensions.list(point).filter(({ plugin }) => plugin === name)).toEqual([]);
    expect(kernel.plugins.effects().filter((effect) => effect.startsWith(`${name}: `))).toEqual([]);
    expect(kernel.plugins.status()).toContainEqual(expect.objectContaining({ name, state: 'stopped' }));
    if (name === 'http') continue;

    for (const { value } of routes) {
      const path = value.path.replaceAll(/\{\w+\}/g, runId);
      const answer = await pool.request({ method: value.method, path, headers: CALLER });
      await answer.body.dump();
      // Outside /v1 every unknown path is a 400 (HTTP §1 rule 2); the path of another plugin's GET answers 405.
      const gone = path.startsWith('/v1/') || path.startsWith('/.well-known/') ? [404, 405] : [400];
      expect(gone, `${value.method} ${path}`).toContain(answer.statusCode);
    }
    const after = await discovery();
    for (const key of capabilities)
      expect([key in before, key in after], key).toEqual([name !== 'discovery', false]);
    if (name === 'core-nodes') await expectNoNodes();
  }
  expect((await stream).status).toBe(200);
  expect((await poll).status).toBe(200);

  expect(kernel.plugins.effects()).toEqual([]);
  for (const address of [base, ops ?? '']) expect(await listens(address)).toBe(false);
  await pool.destroy();
  await kernel.stop();
  expect([...intervals]).toEqual([]);
  expect(await remainingHandles()).toEqual([]);
});

const CALLER = { authorization: 'Bearer live' };

const rank = (name: string) => ['discovery', 'http'].indexOf(name);

/** Servers, sockets, timers and threads that keep the process alive. Waits a moment for those of the test runner itself. */
async function remainingHandles(): Promise<string[]> {
  const current = () =>
    process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Worker|Process/.test(kind));
  const deadline = performance.now() + 1_000;
  while (current().length > 0 && performance.now() < deadline) await setImmediate();
  return current();
}

/** Root keys of the discovery document that only this plugin contributes. */
function capabilitiesOnlyOf(kernel: Kernel, name: string): string[] {
  const all = kernel.extensions.list('capabilities');
  const others = new Set(all.filter(({ plugin }) => plugin !== name).map(({ id }) => id));
  return all.filter(({ plugin, id }) => plugin === name && !others.has(id)).map(({ id }) => id);
}

async function discovery(): Promise<Record<string, unknown>> {
  const answer = await pool.request({ method: 'GET', path: '/.well-known/openwop' });
  return (await answer.body.json()) as Record<string, unknown>;
}

/** Neither definitions nor runs can use node types that are gone. */
async function expectNoNodes(): Promise<void> {
  const answer = await post('/v1/workflows', { ...noop, version: '2.0' }, 400);
  expect(JSON.stringify(answer.details)).toContain('core.noop');
}

async function get(path: string): Promise<{ status: number; text: string }> {
  const answer = await pool.request({ method: 'GET', path, headers: CALLER });
  return { status: answer.statusCode, text: await answer.body.text() };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
async function post(path: string, body: object, status: number): Promise<any> {
  const answer = await pool.request({
    method: 'POST',
    path,
    headers: { ...CALLER, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = await answer.body.json();
  expect(answer.statusCode, JSON.stringify(json)).toBe(status);
  return json;
}

function listens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
