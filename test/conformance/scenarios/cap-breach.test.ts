/** The bound on node executions: checked before a node starts, reported once, and the end of the run. */
import { expect } from 'vitest';
import { expectContiguous, expectInOrder, expectSingleEnd } from '../checks.ts';
import { isObject } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { discovery } from '../host.ts';
import { ofType, runToEnd } from '../runs.ts';

const LIMIT = 3;
const breached = shared(() =>
  runToEnd('conformance-cap-breach', { configurable: { recursionLimit: LIMIT } }),
);

requirement('run.cap.accepted', 'creating the run is 201', async () => {
  expect((await breached()).created.status).toBe(201);
});

requirement('run.cap.stops', 'n1, n2, n3 run, n4 does not start', async () => {
  const { events } = await breached();
  expect(ofType(events, 'node.started').map(({ nodeId }) => nodeId)).toEqual(['n1', 'n2', 'n3']);
  expect(ofType(events, 'node.completed').map(({ nodeId }) => nodeId)).toEqual(['n1', 'n2', 'n3']);
});

requirement('run.cap.event', 'one cap.breached for n4, before run.failed', async () => {
  const { events } = await breached();
  const breaches = ofType(events, 'cap.breached').map(({ payload }) => payload);
  expect(breaches).toEqual([
    expect.objectContaining({ kind: 'node-executions', limit: LIMIT, nodeId: 'n4' }),
  ]);
  expect(breaches[0]?.observed).toBeGreaterThan(LIMIT);
  expectInOrder(events, ['cap.breached', 'run.failed']);
  expectContiguous(events);
  expectSingleEnd(events, 'run.failed');
});

requirement('run.cap.code', 'status failed, code recursion_limit_exceeded', async () => {
  const { snapshot } = await breached();
  expect(snapshot.status).toBe('failed');
  expect(snapshot.error).toEqual(
    expect.objectContaining({ code: 'recursion_limit_exceeded', message: expect.stringMatching(/./) }),
  );
});

requirement('run.cap.stops', 'a limit of exactly six lets all six nodes run', async () => {
  const { snapshot, events } = await runToEnd('conformance-cap-breach', {
    configurable: { recursionLimit: 6 },
  });
  expect(snapshot.status).toBe('completed');
  expect(ofType(events, 'cap.breached')).toEqual([]);
});

requirement('run.cap.clamped', 'a limit far above the ceiling is accepted', async () => {
  const { configurable } = await discovery();
  const descriptor = isObject(configurable) ? configurable.recursionLimit : undefined;
  if (isObject(descriptor) && descriptor.max !== undefined)
    notClaimed('the host advertises a maximum and may refuse more');
  const { snapshot } = await runToEnd('conformance-cap-breach', {
    configurable: { recursionLimit: 1_000_000 },
  });
  expect(snapshot.status).toBe('completed');
});
