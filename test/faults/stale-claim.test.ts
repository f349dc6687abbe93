// Two hosts on one data folder: the claim of a run moves when its holder dies, freezes or leaves, and only one of them ever writes.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { HostChild } from '../support/host-child.ts';
import { workflow } from './workflows.ts';

const KEY = 'hk_test_stale_claim';
const PLUGIN = fileURLToPath(new URL('../support/plugin-slow', import.meta.url));
const TTL_MS = 1_000;
/** Longer than any test waits: with it a claim moves only when it is handed over. */
const LONG_TTL_MS = 60_000;

let dataDir: string;
let journal: string;
let hosts: HostChild[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-claim-'));
  journal = join(dataDir, 'journal');
  hosts = [];
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.kill()));
  rmSync(dataDir, { recursive: true, force: true });
});

function start(ttlMs = TTL_MS): HostChild {
  const host = new HostChild({
    dataDir,
    key: KEY,
    env: {
      OPENWOP_CLAIM_TTL_MS: String(ttlMs),
      OPENWOP_PLUGIN_PATHS: PLUGIN,
      OPENWOP_SHUTDOWN_GRACE_MS: '200',
    },
  });
  hosts.push(host);
  return host;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
async function ask(host: HostChild, method: 'GET' | 'POST', path: string, body?: object): Promise<any> {
  const answer = await request(`${await host.ready()}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      accept: 'application/json',
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = await answer.body.json();
  expect(answer.statusCode, JSON.stringify(json)).toBeLessThan(300);
  return json;
}

/** Starts a run of one slow node on a host and waits until the node has begun there. */
async function startSlowRun(host: HostChild, ms: number): Promise<string> {
  const definition = workflow(
    'slow',
    [
      ['slow', 'private.test.slow', { ms, journal }],
      ['last', 'core.noop'],
    ],
    [['slow', 'last']],
  );
  await ask(host, 'POST', '/v1/workflows', definition);
  const { runId } = await ask(host, 'POST', '/v1/runs', { workflowId: 'slow' });
  await until('the node begins', () => entries().includes(`${host.pid} began`));
  return runId;
}

const entries = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trimEnd().split('\n') : []);

const snapshot = (host: HostChild, runId: string) => ask(host, 'GET', `/v1/runs/${runId}`);

const types = (events: readonly RunEventDoc[]) => events.map(({ type }) => type);

async function eventsOf(host: HostChild, runId: string): Promise<RunEventDoc[]> {
  const { events } = await ask(host, 'GET', `/v1/runs/${runId}/events`);
  expect(events.map(({ sequence }: RunEventDoc) => sequence)).toEqual(
    events.map((_: unknown, i: number) => i),
  );
  return events;
}

async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(25);
  }
}

const TAKEN_OVER = [
  'run.started',
  'node.started',
  'run.resumed',
  'node.completed',
  'node.started',
  'node.completed',
  'run.completed',
];

it('a run of a killed host is continued by the other after its claim has expired', async () => {
  const [a, b] = [start(), start()];
  await b.ready();
  const runId = await startSlowRun(a, 1_500);
  await a.kill();
  expect((await snapshot(b, runId)).status).toBe('running');
  await until('b takes over', () => entries().includes(`${b.pid} began`), TTL_MS + 2_000);
  await until('the run ends', async () => (await snapshot(b, runId)).status === 'completed');
  const events = await eventsOf(b, runId);
  expect(types(events)).toEqual(TAKEN_OVER);
  expect(events[3]?.payload).toMatchObject({ outputs: { by: b.pid } });
  expect(entries()).toEqual([`${a.pid} began`, `${b.pid} began`, `${b.pid} ended`]);
});

it.each([
  ['still runs', 2_500],
  ['has ended', 900],
])(
  'a host frozen beyond its claim writes nothing when it wakes while the run of the other %s',
  async (_, ms) => {
    const [a, b] = [start(), start()];
    await b.ready();
    const runId = await startSlowRun(a, ms);
    a.send('SIGSTOP');
    await until('b takes over', () => entries().includes(`${b.pid} began`), TTL_MS + 2_000);
    if (ms < TTL_MS) await until('b ends it', async () => (await snapshot(b, runId)).status === 'completed');
    a.send('SIGCONT');
    await until('a learns that it lost the run', () =>
      a.logged.some((line) => line.runId === runId && /taken this run over/.test(String(line.msg))),
    );
    await until('the run ends', async () => (await snapshot(b, runId)).status === 'completed');
    for (const host of [a, b]) {
      const events = await eventsOf(host, runId);
      expect(types(events)).toEqual(TAKEN_OVER);
      expect(events[3]?.payload).toMatchObject({ outputs: { by: b.pid } });
      expect(await snapshot(host, runId)).toMatchObject({ status: 'completed' });
    }
    // It goes on as a member in good standing.
    const next = await ask(a, 'POST', '/v1/runs', { workflowId: 'slow' });
    await until('a runs again', async () => (await snapshot(b, next.runId)).status === 'completed');
  },
);

it('a host that was frozen lets go of what it lost without waiting for it', async () => {
  const [a, b] = [start(), start()];
  await b.ready();
  const runId = await startSlowRun(a, 25_000);
  a.send('SIGSTOP');
  await until('b takes over', () => entries().includes(`${b.pid} began`), TTL_MS + 2_000);
  a.send('SIGCONT');
  await until('a stops its node', () => entries().includes(`${a.pid} stopped`), 3_000);
  expect(entries()).not.toContain(`${b.pid} stopped`);
  await ask(a, 'POST', `/v1/runs/${runId}/cancel`);
  await until('both know the end', async () => {
    const seen = await Promise.all([snapshot(a, runId), snapshot(b, runId)]);
    return seen.every(({ status }) => status === 'cancelled');
  });
});

it('a host that is stopped hands its runs over at once', async () => {
  const [a, b] = [start(LONG_TTL_MS), start(LONG_TTL_MS)];
  await b.ready();
  const runId = await startSlowRun(a, 2_000);
  await a.stop();
  await until('b takes over', () => entries().includes(`${b.pid} began`), 2_000);
  expect(entries()).toContain(`${a.pid} stopped`);
  await until('the run ends', async () => (await snapshot(b, runId)).status === 'completed');
  expect((await eventsOf(b, runId)).filter(({ type }) => type === 'node.completed')).toHaveLength(2);
});

it('a run is cancelled through a host that does not hold it', async () => {
  const [a, b] = [start(LONG_TTL_MS), start(LONG_TTL_MS)];
  await b.ready();
  const runId = await startSlowRun(a, 30_000);
  const asked = performance.now();
  const answer = await ask(b, 'POST', `/v1/runs/${runId}/cancel`, { reason: 'enough' });
  expect(['cancelled', 'cancelling']).toContain(answer.status);
  await until('the run is cancelled', async () => (await snapshot(b, runId)).status === 'cancelled', 5_000);
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect(await snapshot(a, runId)).toMatchObject({ status: 'cancelled' });
  expect(types(await eventsOf(a, runId))).toEqual([
    'run.started',
    'node.started',
    'node.cancelled',
    'run.cancelled',
  ]);
  await until('the node is told to stop', () => entries().includes(`${a.pid} stopped`));
  expect(entries()).not.toContain(`${b.pid} began`);
});
