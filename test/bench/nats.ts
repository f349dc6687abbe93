// Dispatches per second over NATS (host, server and worker each a process) against bare JetStream publish-ack on the same server.
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Invocation } from '../../kernel/dispatch/types.ts';
import { startNatsServer } from '../../plugins/nats/test-server.ts';
import { TestQueue } from '../../plugins/nats/testing.ts';
import { report } from './report.ts';

const IN_FLIGHT = 16;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ROUNDS = 4;
const never = new AbortController().signal;

/** Prints the ratio; true when it meets its target. */
export async function benchNats(): Promise<boolean> {
  const server = await startNatsServer();
  const queue = new TestQueue(server.url, { concurrency: 64, maxPending: 1_000, ackWaitMs: 30_000 });
  try {
    await queue.child();
    const dispatcher = await queue.host();
    const dispatch = async () => {
      const outcome = await dispatcher.dispatch(anInvocation(), never);
      if (outcome.kind !== 'completed') throw new Error(`dispatch ended ${JSON.stringify(outcome)}`);
    };
    await perSecond(1, dispatch);
    // In turns, so that whatever else the machine does disturbs both sides alike.
    const bare: number[] = [];
    const dispatches: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await publishes(server.url));
      dispatches.push(await perSecond(SECONDS / ROUNDS, dispatch));
    }
    return report({
      name: `NATS dispatch, ${IN_FLIGHT} in flight`,
      value: (100 * mean(dispatches)) / mean(bare),
      atLeast: 25,
      unit: '%',
      detail: `${mean(dispatches).toFixed(0)} dispatches/s against ${mean(bare).toFixed(0)} bare JetStream publish-acks/s`,
    });
  } finally {
    await queue.stop();
    await server.stop();
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

let invocations = 0;

function anInvocation(): Invocation {
  const runId = `run_${(++invocations).toString().padStart(20, '0')}`;
  return {
    invocationId: `${runId}:echo:0:0`,
    runId,
    tenantId: 'default',
    workflowId: 'bench',
    nodeId: 'echo',
    typeId: 'test.echo',
    execution: 0,
    attempt: 0,
    iteration: 0,
    config: {},
    inputs: { a: 1 },
    configurable: {},
    startedAt: Date.now(),
    now: Date.now(),
  };
}

/** A message as large as an invocation, stored in a file and acknowledged by the server. */
async function publishes(url: string): Promise<number> {
  const nats = await connect({ servers: url, noAsyncTraces: true });
  try {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: 'bare', subjects: ['bare'], storage: StorageType.File });
    const client = jetstream(nats);
    const body = JSON.stringify(anInvocation());
    const rate = await perSecond(SECONDS / ROUNDS, () => client.publish('bare', body));
    await manager.streams.delete('bare');
    return rate;
  } finally {
    await nats.close();
  }
}

async function perSecond(seconds: number, once: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  const loop = async () => {
    while (performance.now() < end) {
      await once();
      count++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  return count / ((performance.now() - start) / 1000);
}

if (import.meta.main) process.exitCode = (await benchNats()) ? 0 : 1;
