/** A run from its creation to its end, as a client sees it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectRefusal, expectValid } from '../checks.ts';
import { requirement, shared } from '../harness.ts';
import { host, UNKNOWN_ID } from '../host.ts';
import {
  eventLog,
  runIdOf,
  runPath,
  runToEnd,
  snapshotOf,
  start,
  waitForStatus,
  waitForTerminal,
} from '../runs.ts';

const noop = shared(() => runToEnd('conformance-noop'));

requirement('run.create.answer', '201 with runId, status and eventsUrl', async () => {
  const { created } = await noop();
  expect(created.status).toBe(201);
  expect(created.object.runId).toEqual(expect.stringMatching(/^.{1,128}$/));
  expect(['pending', 'running', 'waiting-approval', 'waiting-input']).toContain(created.object.status);
  expect(created.object.eventsUrl).toBeTypeOf('string');
});

requirement('run.create.absolute-urls', 'the URLs are absolute and serve this run', async () => {
  const { created, runId } = await noop();
  const { eventsUrl, statusUrl } = created.object;
  expect(eventsUrl).toMatch(/^https?:\/\//);
  const events = new URL(String(eventsUrl));
  expect(
    (await host.get(events.pathname + events.search, { headers: { accept: 'application/json' } })).status,
  ).toBe(200);
  if (statusUrl === undefined) return;
  expect(statusUrl).toMatch(/^https?:\/\//);
  expect((await host.get(new URL(String(statusUrl)).pathname)).object.runId).toBe(runId);
});

requirement('run.create.readable', 'the first read after 201 is 200', async () => {
  for (let i = 0; i < 10; i++) {
    const runId = await start('conformance-noop');
    expect((await host.get(runPath(runId))).status).toBe(200);
  }
});

requirement('run.create.extra-inputs', 'undeclared inputs do not hinder the run', async () => {
  const { snapshot } = await runToEnd('conformance-noop', {
    inputs: { delaySeconds: 3, anything: { at: ['all'] } },
  });
  expect(snapshot.status).toBe('completed');
});

requirement('run.create.default', 'delayMs of the delay fixture is 1000 when not given', async () => {
  const { snapshot, elapsedMs } = await runToEnd('conformance-delay');
  expect(snapshot.status).toBe('completed');
  expect(snapshot.variables?.delayMs).toBe(1000);
  expect(elapsedMs).toBeGreaterThanOrEqual(900);
});

requirement(
  'run.snapshot.schema',
  'the snapshots of a live and of a finished run fit the schema',
  async () => {
    const runId = await start('conformance-delay', { inputs: { delayMs: 300 } });
    expectValid('run-snapshot', await snapshotOf(runId));
    expectValid('run-snapshot', await waitForTerminal(runId));
  },
);

requirement('run.snapshot.echo', 'tags, metadata and configurable come back', async () => {
  const runOptions = {
    tags: ['env:test', 'Any Form/At All', 'ünïcode'],
    metadata: { owner: 'conformance', nested: { list: [1, null, 'x'] } },
    configurable: { recursionLimit: 7, temperature: 0.5 },
  };
  const { snapshot } = await runToEnd('conformance-noop', runOptions);
  expect({ tags: snapshot.tags, metadata: snapshot.metadata, configurable: snapshot.configurable }).toEqual(
    runOptions,
  );
});

requirement('run.snapshot.times', 'startedAt is not after completedAt', async () => {
  const { startedAt, completedAt } = (await noop()).snapshot;
  expect(Date.parse(String(startedAt))).toBeLessThanOrEqual(Date.parse(String(completedAt)));
});

requirement('run.completes', 'completed within five seconds, without error', async () => {
  const { snapshot, elapsedMs } = await noop();
  expect(snapshot.status).toBe('completed');
  expect(snapshot.error).toBeUndefined();
  expect(snapshot.workflowId).toBe('conformance-noop');
  expect(elapsedMs).toBeLessThan(5000);
});

requirement('run.terminal-stays', 'half a second later status and log are the same', async () => {
  const { runId, snapshot, events } = await noop();
  await sleep(500);
  expect((await snapshotOf(runId)).status).toBe(snapshot.status);
  expect(await eventLog(runId)).toEqual(events);
});

requirement(
  'run.delay.running',
  'a delay is running for its whole time and completed afterwards',
  async () => {
    const runId = await start('conformance-delay', { inputs: { delayMs: 1500 } });
    await waitForStatus(runId, ['running'], 2000);
    for (let i = 0; i < 10; i++) {
      await sleep(80);
      expect((await snapshotOf(runId)).status).toBe('running');
    }
    expect((await waitForTerminal(runId, 5000)).status).toBe('completed');
  },
);

requirement('run.not-found', 'GET of an unknown run is 404 not_found', async () => {
  expectRefusal(await host.get(runPath(UNKNOWN_ID)), { status: 404, code: 'not_found' });
});

requirement('run.not-found', 'an id that is nearly that of a run is 404 not_found', async () => {
  const runId = runIdOf((await noop()).created);
  const last = runId.at(-1) === '0' ? '1' : '0';
  expectRefusal(await host.get(runPath(runId.slice(0, -1) + last)), { status: 404, code: 'not_found' });
});
