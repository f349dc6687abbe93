/** Three steps in a row: each once, each after the one before. */
import { expect } from 'vitest';
import { expectContiguous, expectSingleEnd } from '../checks.ts';
import { requirement, shared } from '../harness.ts';
import { ofType, runToEnd } from '../runs.ts';

const CHAIN = ['a', 'b', 'c'];
const run = shared(() => runToEnd('conformance-multi-node'));

requirement('event.chain-order', 'node.completed appears for a, b, c in this order', async () => {
  const { events, snapshot } = await run();
  expect(snapshot.status).toBe('completed');
  expect(ofType(events, 'node.completed').map(({ nodeId }) => nodeId)).toEqual(CHAIN);
});

requirement('event.chain-gate', 'node.started and node.completed alternate along the chain', async () => {
  const { events } = await run();
  const steps = events.filter(({ type }) => type === 'node.started' || type === 'node.completed');
  expect(steps.map(({ type, nodeId }) => `${type} ${nodeId}`)).toEqual(
    CHAIN.flatMap((id) => [`node.started ${id}`, `node.completed ${id}`]),
  );
});

requirement('event.chain-time', 'the run ends within ten seconds', async () => {
  expect((await run()).elapsedMs).toBeLessThan(10_000);
});

requirement('event.terminal-last', 'run.completed ends a contiguous log', async () => {
  const { events } = await run();
  expectContiguous(events);
  expectSingleEnd(events, 'run.completed');
});
