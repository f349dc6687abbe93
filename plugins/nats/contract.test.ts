import { afterAll, beforeAll } from 'vitest';
import { describeDispatcher } from '../../kernel/dispatch/contract.ts';
import { startNatsServer, type TestNatsServer } from './test-server.ts';
import { TestQueue } from './testing.ts';

let server: TestNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

describeDispatcher('nats', async ({ nodeTypes, concurrency, capacity }) => {
  const queue = new TestQueue(server.url, { concurrency, maxPending: capacity });
  await queue.worker(nodeTypes);
  const dispatcher = await queue.host();
  return { dispatcher, dispose: () => queue.stop() };
});
