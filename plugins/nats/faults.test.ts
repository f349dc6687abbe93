/** What may happen between host, server and workers, on real processes: crashes, restarts, freezes, floods, poison. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Gate, invocationOf, nodeTypeOf } from '../../kernel/dispatch/contract.ts';
import type { NatsConfig } from './config.ts';
import { keyOf } from './names.ts';
import { startNatsServer, type TestNatsServer } from './test-server.ts';
import { TestQueue } from './testing.ts';

const never = new AbortController().signal;
const SOON = { timeout: 15_000 };

let server: TestNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const queues: TestQueue[] = [];
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.stop();
});

function newQueue(overrides: Partial<NatsConfig> = {}): TestQueue {
  const queue = new TestQueue(server.url, overrides);
  queues.push(queue);
  return queue;
}

const slow = (ms: number) => invocationOf('test.slow', { config: { ms } });

describe('a worker', () => {
  it('killed in the middle of a node is replaced by another', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const first = await queue.child();
    const invocation = slow(400);
    const outcome = host.dispatch(invocation, never);
    await expect.poll(() => first.begun, SOON).toEqual([invocation.invocationId]);
    const second = await queue.child();
    await first.kill('SIGKILL');
    expect(await outcome).toEqual({ kind: 'completed', outputs: { pid: second.process.pid } });
    expect(second.begun).toEqual([invocation.invocationId]);
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 0 });
  });

  it('may take longer than the ack wait, as long as it lives', async () => {
    const queue = newQueue({ ackWaitMs: 300 });
    const host = await queue.host();
    const workers = [await queue.child(), await queue.child()];
    await host.dispatch(slow(1_500), never);
    expect(workers.flatMap(({ begun }) => begun)).toHaveLength(1);
  });

  it('frozen until another did its work finds its outcome unwanted: it is accepted once', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const first = await queue.child();
    const invocation = slow(300);
    const outcome = host.dispatch(invocation, never);
    await expect.poll(() => first.begun.length, SOON).toBe(1);
    first.process.kill('SIGSTOP');
    const second = await queue.child();
    expect(await outcome).toEqual({ kind: 'completed', outputs: { pid: second.process.pid } });
    first.process.kill('SIGCONT');
    await expect.poll(() => host.counters, SOON).toMatchObject({ accepted: 1, dropped: 1 });
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 0 });
  });

  it('shares the load with others', async () => {
    const queue = newQueue({ concurrency: 2 });
    const host = await queue.host();
    const workers = [await queue.child(), await queue.child()];
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => host.dispatch(slow(100), never)));
    expect(outcomes.every(({ kind }) => kind === 'completed')).toBe(true);
    for (const { begun } of workers) expect(begun.length).toBeGreaterThanOrEqual(3);
    expect(new Set(workers.flatMap(({ begun }) => begun)).size).toBe(12);
  });

  it('that is told to stop finishes what runs and exits 0', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const worker = await queue.child();
    const outcome = host.dispatch(slow(500), never);
    await expect.poll(() => worker.begun.length, SOON).toBe(1);
    const ended = worker.kill('SIGTERM');
    await expect.poll(() => worker.lines, SOON).toContain('stopping');
    const later = host.dispatch(slow(0), never);
    expect(await outcome).toMatchObject({ kind: 'completed' });
    expect(await ended).toBe(0);
    const second = await queue.child();
    expect(await later).toEqual({ kind: 'completed', outputs: { pid: second.process.pid } });
  });

  it('that cannot wait hands its work back, and another takes it without delay', async () => {
    const queue = newQueue({ ackWaitMs: 60_000 });
    const host = await queue.host();
    const gate = new Gate();
    const first = await queue.worker([gate.type]);
    const outcome = host.dispatch(invocationOf('test.gate'), never);
    await expect.poll(() => gate.begun.length, SOON).toBe(1);
    const done = nodeTypeOf('test.gate', () => ({ kind: 'completed', outputs: { by: 'second' } }));
    await first.stop(10);
    expect(gate.aborted).toHaveLength(1);
    await queue.worker([done]);
    expect(await outcome).toEqual({ kind: 'completed', outputs: { by: 'second' } });
    gate.open();
  });
});

describe('the server', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'restarted (%s) in the middle loses no dispatch',
    async (signal) => {
      const queue = newQueue();
      const host = await queue.host();
      const worker = await queue.child({ concurrency: 4 });
      const running = Array.from({ length: 8 }, () => host.dispatch(slow(600), never));
      await expect.poll(() => worker.begun.length, SOON).toBe(4);
      await server.down(signal);
      await expect.poll(() => host.connected, SOON).toBe(false);
      const meanwhile = host.dispatch(slow(0), never);
      await server.start();
      const kinds = (await Promise.all([...running, meanwhile])).map(({ kind }) => kind);
      expect(kinds).toEqual(Array(9).fill('completed'));
      expect(host.counters.accepted).toBe(9);
      await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 0 });
    },
  );

  it('that lost its disk gets streams and open invocations anew', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const waiting = host.dispatch(slow(0), never);
    await expect.poll(() => queue.stored(), SOON).toMatchObject({ work: 1 });
    await server.down('SIGKILL');
    server.wipe();
    await server.start();
    const worker = await queue.child();
    expect(await waiting).toEqual({ kind: 'completed', outputs: { pid: worker.process.pid } });
    expect(await host.dispatch(slow(0), never)).toMatchObject({ kind: 'completed' });
  });
});

describe('a host', () => {
  it('that takes a run over gets the outcome of work still executing, without a second execution', async () => {
    const queue = newQueue();
    const { dispatcher: first, kill } = await queue.mortalHost();
    const worker = await queue.child();
    const invocation = slow(800);
    first.dispatch(invocation, never).catch(() => undefined); // its process is gone before there is an outcome
    await expect.poll(() => worker.begun.length, SOON).toBe(1);
    await kill();
    const second = await queue.host();
    expect(await second.dispatch({ ...invocation, now: Date.now() }, never)).toMatchObject({
      kind: 'completed',
    });
    expect(worker.begun).toEqual([invocation.invocationId]);
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 0 });
  });

  it('that comes back late still gets an outcome that was ready', async () => {
    const queue = newQueue();
    const { dispatcher: first, kill } = await queue.mortalHost();
    const gate = new Gate();
    await queue.worker([gate.type]);
    const invocation = invocationOf('test.gate');
    first.dispatch(invocation, never).catch(() => undefined); // its process is gone before there is an outcome
    await expect.poll(() => gate.begun.length, SOON).toBe(1);
    await kill();
    const bystander = await queue.host(); // listens as well, and must not take what is not its own
    gate.open();
    // Longer than the ack wait: the worker holds its message meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const second = await queue.host();
    expect(await second.dispatch(invocation, never)).toMatchObject({ kind: 'completed' });
    expect(gate.begun).toHaveLength(1);
    expect(bystander.counters).toMatchObject({ accepted: 0, dropped: 0 });
  });

  it('that never comes back leaves its outcome as a dead letter', async () => {
    const queue = newQueue({ holdMs: 200 });
    const { dispatcher, kill } = await queue.mortalHost();
    const gate = new Gate();
    await queue.worker([gate.type]);
    dispatcher.dispatch(invocationOf('test.gate'), never).catch(() => undefined); // its process is gone before there is an outcome
    await expect.poll(() => gate.begun.length, SOON).toBe(1);
    await kill();
    gate.open();
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 1 });
    expect((await queue.deadLetter()).headers).toMatchObject({ 'Wopr-Reason': 'unclaimed' });
  });

  it('that calls off waiting work takes it out of the queue', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const abort = new AbortController();
    const called = expect(host.dispatch(slow(0), abort.signal)).rejects.toThrow('never mind');
    await expect.poll(() => queue.stored(), SOON).toMatchObject({ work: 1 });
    abort.abort(new Error('never mind'));
    await called;
    await expect.poll(() => queue.stored(), SOON).toMatchObject({ work: 0 });
  });

  it('that stops gives its receipts first, so that no worker waits for them', async () => {
    const queue = newQueue();
    for (let i = 0; i < 5; i++) {
      const host = await queue.host();
      const worker = await queue.worker([
        nodeTypeOf('test.node', () => ({ kind: 'completed', outputs: {} })),
      ]);
      await host.dispatch(invocationOf('test.node'), never);
      await host.stop(0);
      await expect.poll(() => worker.stats(), { timeout: 900 }).toMatchObject({ running: 0, done: 1 });
      await worker.stop(0);
    }
    expect(await queue.stored()).toEqual({ work: 0, dead: 0 });
  });

  it('takes a result sent twice only once', async () => {
    const queue = newQueue();
    const host = await queue.host();
    await queue.worker([nodeTypeOf('test.node', () => ({ kind: 'completed', outputs: { n: 1 } }))]);
    const invocation = invocationOf('test.node');
    const { connect } = await import('@nats-io/transport-node');
    const nats = await connect({ servers: server.url });
    const copies: { readonly subject: string; readonly data: Uint8Array }[] = [];
    nats.subscribe(`${queue.names.outcomeSubject}.*`, {
      callback: (_error, { subject, data }) => void copies.push({ subject, data }),
    });
    await nats.flush();
    expect(await host.dispatch(invocation, never)).toMatchObject({ outputs: { n: 1 } });
    await expect.poll(() => copies.length, SOON).toBe(1);
    const [copy] = copies;
    const again = await nats.request(copy?.subject ?? '', copy?.data);
    expect(again.json()).toEqual(['dropped']);
    expect(host.counters).toMatchObject({ accepted: 1, dropped: 1 });
    await nats.close();
  });
});

describe('the queue', () => {
  it('refuses work of any host while it is full', async () => {
    const queue = newQueue({ maxPending: 5 });
    const [one, two] = [await queue.host(), await queue.host()];
    const held = [slow(0), slow(0), slow(0)].map((invocation) => one.dispatch(invocation, never));
    held.push(...[slow(0), slow(0)].map((invocation) => two.dispatch(invocation, never)));
    await expect.poll(() => queue.stored(), SOON).toMatchObject({ work: 5 });
    await expect(two.dispatch(slow(0), never)).rejects.toMatchObject({
      code: 'service_unavailable',
      retryAfterSeconds: 1,
    });
    expect(two.counters.refused).toBe(1);
    expect(two.stats()).toEqual({ inFlight: 2, queued: 0, capacity: 5 });
    await queue.child();
    await Promise.all(held);
    expect(await two.dispatch(slow(0), never)).toMatchObject({ kind: 'completed' });
  });

  it('sets aside an invocation that kills its workers, and tells the host', async () => {
    const queue = newQueue({ maxDeliver: 2, ackWaitMs: 400 });
    const host = await queue.host();
    const workers = [await queue.child(), await queue.child(), await queue.child()];
    const invocation = invocationOf('test.deadly');
    const outcome = host.dispatch(invocation, never);
    expect(await outcome).toEqual({
      kind: 'failed',
      error: {
        code: 'dispatch_failed',
        message: 'The invocation was set aside: after 2 deliveries no worker has finished it.',
      },
      retryable: false,
    });
    const victims = workers.filter(({ ended }) => ended);
    expect(victims.map(({ begun }) => begun)).toEqual([[invocation.invocationId], [invocation.invocationId]]);
    expect(workers.flatMap(({ begun }) => begun)).toHaveLength(2);
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 1 });
    const { text, headers } = await queue.deadLetter();
    expect(headers).toMatchObject({
      'Wopr-Reason': 'undeliverable',
      'Wopr-Message': 'after 2 deliveries no worker has finished it',
      'Wopr-Subject': queue.names.workSubject(keyOf(invocation.invocationId)),
      'Wopr-Deliveries': '3',
    });
    expect(JSON.parse(text)).toMatchObject({ invocation: { invocationId: invocation.invocationId } });
  });

  it('does so even if each worker is started long after the one before died', async () => {
    const queue = newQueue({ maxDeliver: 2, ackWaitMs: 300 });
    const host = await queue.host();
    let ended = false;
    const outcome = host.dispatch(invocationOf('test.deadly'), never).finally(() => {
      ended = true;
    });
    let victims = 0;
    while (!ended) {
      const worker = await queue.child();
      await expect.poll(() => worker.ended || ended, SOON).toBe(true);
      if (worker.ended) victims++;
      // Requests of the dead worker are all the server has when the message falls due.
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    expect(await outcome).toMatchObject({ error: { code: 'dispatch_failed' } });
    expect(victims).toBeGreaterThanOrEqual(1);
    expect(victims).toBeLessThanOrEqual(2);
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 1 });
  });

  it.each([
    ['no JSON', 'poison', 'is not valid JSON'],
    ['another version', '{"version":99}', 'version 99 is not 1'],
    ['no invocation', '{"version":1,"replyTo":"x"}', 'invocation is not an object'],
  ])('sets aside a message that is %s, and tells the host that waits for it', async (_what, text, reason) => {
    const queue = newQueue();
    const host = await queue.host();
    const invocation = slow(0);
    const outcome = host.dispatch(invocation, never);
    await expect.poll(() => queue.stored(), SOON).toMatchObject({ work: 1 });
    await queue.admin(async (manager) => {
      await manager.streams.deleteMessage(queue.names.workStream, 1);
      await manager.jetstream().publish(queue.names.workSubject(keyOf(invocation.invocationId)), text);
    });
    await queue.child();
    expect(await outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'dispatch_failed', message: expect.stringContaining(reason) },
    });
    const letter = await queue.deadLetter();
    expect(letter).toMatchObject({ text, headers: { 'Wopr-Reason': 'undeliverable' } });
    expect(letter.headers['Wopr-Message']).toContain(reason);
    await expect.poll(() => queue.stored(), SOON).toEqual({ work: 0, dead: 1 });
  });

  it('does not carry what the server would refuse', async () => {
    const queue = newQueue();
    const host = await queue.host();
    const big = 'é'.repeat(600_000);
    await queue.worker([nodeTypeOf('test.big', () => ({ kind: 'completed', outputs: { big } }))]);
    expect(await host.dispatch(invocationOf('test.big', { inputs: { big } }), never)).toMatchObject({
      error: { code: 'dispatch_failed', message: expect.stringMatching(/^The invocation takes 12\d+ bytes/) },
    });
    expect(await host.dispatch(invocationOf('test.big'), never)).toMatchObject({
      error: { code: 'dispatch_failed', message: expect.stringMatching(/^The outcome takes 12\d+ bytes/) },
    });
  });
});
