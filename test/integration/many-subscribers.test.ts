// A thousand subscribers on one run, and one that does not read: everybody else gets everything, in order, in time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { workflow } from '../faults/workflows.ts';
import { HostChild } from '../support/host-child.ts';
import { readStream, type SseReader } from '../support/sse-reader.ts';

const KEY = 'hk_test_subscribers';
const PLUGIN = fileURLToPath(new URL('../support/plugin-slow', import.meta.url));
const SUBSCRIBERS = 1_000;
const HEADERS = { authorization: `Bearer ${KEY}`, accept: 'text/event-stream' };

/** Waits for its gate, then makes `count` passes with a pause in each, so that the events come one after the other. */
const ticking = (id: string, count: number, payload: string) =>
  workflow(
    id,
    [
      ['gate', 'private.test.gate', { file: gateOf(id) }],
      ['loop', 'core.loop', { count }],
      ['tick', 'core.delay', { delayMs: 2 }, { payload: { type: 'static', value: payload } }],
    ],
    [
      ['gate', 'loop'],
      ['loop', 'tick', { sourceOutput: 'body' }],
      ['tick', 'loop'],
    ],
  );

const gateOf = (id: string) => join(dataDir, `${id}.open`);
const open = (id: string) => writeFileSync(gateOf(id), '');

let dataDir: string;
let host: HostChild;
let url: string;
let readers: SseReader[] = [];
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-subscribers-'));
  host = new HostChild({
    dataDir,
    key: KEY,
    env: {
      OPENWOP_PLUGIN_PATHS: PLUGIN,
      OPENWOP_PLUGINS__HTTP__CONFIG__ACCESS_LOG: 'off',
      OPENWOP_ENGINE__MAX_NODE_EXECUTIONS: '1000',
    },
  });
  url = await host.ready();
});
afterEach(() => {
  for (const reader of readers) reader.close();
  readers = [];
});
afterAll(async () => {
  await host.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

function subscribe(runId: string): Promise<SseReader> {
  return new Promise((resolve) => {
    const reader = readStream(url, `/v1/runs/${runId}/events?streamMode=debug`, HEADERS, () =>
      resolve(reader),
    );
    readers.push(reader);
  });
}

it(`${SUBSCRIBERS} subscribers of one run all get all events in order`, { timeout: 60_000 }, async () => {
  const runId = await start(ticking('ticking', 40, ''));
  const subscribers: SseReader[] = [];
  for (let count = 0; count < SUBSCRIBERS; count += 50)
    subscribers.push(...(await Promise.all(Array.from({ length: 50 }, () => subscribe(runId)))));
  open('ticking');
  await Promise.all(subscribers.map(({ done }) => done));
  const sequences = await sequencesOf(runId);
  expect(sequences.length).toBeGreaterThan(150);
  for (const { ids } of subscribers) expect(ids).toEqual(sequences);
});

it('a subscriber that does not read costs the others and the host nothing', { timeout: 60_000 }, async () => {
  // 12 MB of events: far more than any socket buffer holds.
  const runId = await start(ticking('heavy', 120, 'x'.repeat(100_000)));
  const [slow, ...others] = await Promise.all(Array.from({ length: 6 }, () => subscribe(runId)));
  slow?.pause();
  const memoryBefore = await host.residentMegabytes();
  open('heavy');
  await Promise.all(others.map(({ done }) => done));
  const sequences = await sequencesOf(runId);
  for (const { ids } of others) expect(ids).toEqual(sequences);
  expect(slow?.ids.length).toBeLessThan(sequences.length / 2);
  // What the slow one has not taken stays in the log.
  expect((await host.residentMegabytes()) - memoryBefore).toBeLessThan(200);
  expect((await snapshot(runId)).status).toBe('completed');
  // It missed nothing by being slow.
  slow?.resume();
  await slow?.done;
  expect(slow?.ids).toEqual(sequences);
});

async function start(definition: { readonly id: string }): Promise<string> {
  await ask('POST', '/v1/workflows', definition);
  const configurable = { recursionLimit: 1000 };
  return (await ask('POST', '/v1/runs', { workflowId: definition.id, configurable })).runId;
}

const snapshot = (runId: string) => ask('GET', `/v1/runs/${runId}`);

async function sequencesOf(runId: string): Promise<number[]> {
  const { events } = await ask('GET', `/v1/runs/${runId}/events`);
  const sequences = events.map(({ sequence }: { sequence: number }) => sequence);
  expect(sequences).toEqual(sequences.map((_: number, index: number) => index));
  return sequences;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<any> {
  const answer = await request(`${url}${path}`, {
    method,
    headers: { ...HEADERS, accept: 'application/json', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = await answer.body.json();
  expect(answer.statusCode, JSON.stringify(json)).toBeLessThan(300);
  return json;
}
