/** A run that fails on purpose: accepted, failed soon, and described the same way everywhere. */
import { expect } from 'vitest';
import { expectContiguous, expectInOrder, expectSingleEnd } from '../checks.ts';
import { requirement, shared } from '../harness.ts';
import { ofType, runToEnd, typesOf } from '../runs.ts';

const CODE = 'conformance_test_failure';
const failed = shared(() => runToEnd('conformance-failure'));

requirement('run.failure.accepted', 'creating it is 201', async () => {
  expect((await failed()).created.status).toBe(201);
});

requirement('run.failure.status', 'it is failed within five seconds', async () => {
  const { snapshot, elapsedMs } = await failed();
  expect(snapshot.status).toBe('failed');
  expect(elapsedMs).toBeLessThan(5000);
});

requirement('run.failure.events', 'run.started, node.failed, run.failed', async () => {
  const { events } = await failed();
  expectInOrder(events, ['run.started', 'node.failed', 'run.failed']);
  expect(typesOf(events)).not.toContain('node.completed');
});

requirement('event.terminal-last', 'run.failed is the only terminal event and the last one', async () => {
  const { events } = await failed();
  expectContiguous(events);
  expectSingleEnd(events, 'run.failed');
});

requirement('run.failure.error', 'the error of the snapshot is closed and filled', async () => {
  const { error } = (await failed()).snapshot;
  expect(Object.keys(error ?? {}).filter((key) => !['code', 'message', 'details'].includes(key))).toEqual([]);
  expect(error).toEqual(
    expect.objectContaining({ code: expect.stringMatching(/./), message: expect.stringMatching(/./) }),
  );
});

requirement('run.failure.code', 'the code is the same in snapshot, node.failed and run.failed', async () => {
  const { snapshot, events } = await failed();
  expect(snapshot.error?.code).toBe(CODE);
  for (const type of ['node.failed', 'run.failed']) {
    const [event, ...others] = ofType(events, type);
    expect(others, `further ${type}`).toEqual([]);
    expect(event?.payload.error, type).toEqual(
      expect.objectContaining({ code: CODE, message: expect.stringMatching(/./) }),
    );
  }
});

requirement('event.node-id', 'node.failed names the node fail on envelope and payload', async () => {
  const [event] = ofType((await failed()).events, 'node.failed');
  expect(event?.nodeId).toBe('fail');
  expect(event?.payload.nodeId).toBe('fail');
});
