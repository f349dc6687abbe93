import { expect, it } from 'vitest';
import { describeDispatcher, Gate, invocationOf, silentLogger } from './contract.ts';
import { createLocalDispatcher } from './local.ts';

describeDispatcher('local', async ({ nodeTypes, concurrency, capacity }) => {
  const dispatcher = createLocalDispatcher({
    nodeTypes,
    concurrency,
    queueLimit: capacity - concurrency,
    logger: silentLogger,
  });
  return { dispatcher, dispose: () => dispatcher.stop(0) };
});

it('the local dispatcher forgets waiting nodes that were aborted, and aborts running ones at the end of the grace', async () => {
  const gate = new Gate();
  const dispatcher = createLocalDispatcher({
    nodeTypes: () => gate.type,
    concurrency: 1,
    queueLimit: 8,
    logger: silentLogger,
  });
  const [running, waiting] = [invocationOf('test.gate'), invocationOf('test.gate')];
  const abort = new AbortController();
  const held = expect(dispatcher.dispatch(running, new AbortController().signal)).rejects.toMatchObject({
    code: 'service_unavailable',
  });
  const dropped = expect(dispatcher.dispatch(waiting, abort.signal)).rejects.toThrow('gone');
  abort.abort(new Error('gone'));
  await dropped;
  expect(dispatcher.stats()).toEqual({ inFlight: 1, queued: 0, capacity: 9 });
  await dispatcher.stop(0);
  await held;
  expect(gate.begun).toEqual([running.invocationId]);
  expect(gate.aborted).toEqual([running.invocationId]);
  gate.open();
});
