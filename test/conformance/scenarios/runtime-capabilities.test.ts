/** A node that needs what the host lacks: the run is accepted, the node refused. */
import { expect } from 'vitest';
import { expectContiguous, expectSingleEnd } from '../checks.ts';
import { isObject } from '../client.ts';
import { requirement, shared } from '../harness.ts';
import { discovery } from '../host.ts';
import { ofType, runToEnd, typesOf } from '../runs.ts';

const MISSING = 'conformance.never-provided';
const CODE = 'capability_not_provided';
const refused = shared(() => runToEnd('conformance-capability-missing'));

requirement('run.capability.accepted', 'creating the run is 201', async () => {
  expect((await refused()).created.status).toBe(201);
});

requirement(
  'run.capability.code',
  'it fails with the code and the id of the capability, within five seconds',
  async () => {
    const { snapshot, events, elapsedMs } = await refused();
    expect(snapshot.status).toBe('failed');
    expect(snapshot.error?.code).toBe(CODE);
    expect(snapshot.error?.message).toContain(MISSING);
    expect(elapsedMs).toBeLessThan(5000);
    const [failed] = ofType(events, 'run.failed');
    expect(failed?.payload.error).toEqual(expect.objectContaining({ code: CODE }));
  },
);

requirement(
  'run.capability.not-executed',
  'the log has node.failed and run.failed but no start of the node',
  async () => {
    const { events } = await refused();
    expect(typesOf(events)).not.toContain('node.started');
    expect(typesOf(events)).not.toContain('node.completed');
    expect(ofType(events, 'node.failed').map(({ nodeId }) => nodeId)).toEqual(['n1']);
  },
);

requirement('event.terminal-last', 'run.failed ends a contiguous log', async () => {
  const { events } = await refused();
  expectContiguous(events);
  expectSingleEnd(events, 'run.failed');
});

requirement('run.capability.detail', 'details.capability is the id', async () => {
  const details = (await refused()).snapshot.error?.details;
  expect(isObject(details) ? details.capability : undefined).toBe(MISSING);
});

requirement('run.capability.sentinel', 'runtimeCapabilities does not list it', async () => {
  expect((await discovery()).runtimeCapabilities ?? []).not.toContain(MISSING);
});
