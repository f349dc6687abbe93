// Completed runs per second over HTTP against the requests per second of a bare Fastify echo, same client, same run.
import type { Client } from 'undici';
import { closedLoop, type LoopResult, percentile, send } from './closed-loop.ts';
import { HEADERS, ROOT, register, startChild, startHost, withTempDir } from './process.ts';
import { report } from './report.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);

const node = (id: string) => ({
  id,
  typeId: 'core.noop',
  name: id,
  position: { x: 0, y: 0 },
  config: {},
  inputs: {},
});
const workflow = (id: string, ids: readonly string[]) => ({
  id,
  name: id,
  version: '1',
  nodes: ids.map(node),
  edges: ids
    .slice(1)
    .map((target, index) => ({ id: `e${index}`, sourceNodeId: ids[index], targetNodeId: target })),
  triggers: [],
  variables: [],
  metadata: {},
  settings: {},
});

/** Prints the HTTP ratios; true when all meet their targets. */
export function benchHttp(): Promise<boolean> {
  return withTempDir(async (dir) => {
    const echo = await startChild([`${ROOT}/test/bench/echo-server.ts`]);
    const host = startHost(dir);
    const url = await host.ready();
    try {
      await register(url, workflow('bench-noop', ['a']));
      await register(url, workflow('bench-three', ['a', 'b', 'c']));
      const results: boolean[] = [];
      for (const [connections, target] of [
        [1, 25],
        [16, 30],
        [64, 30],
      ] as const) {
        const bare = await closedLoop(echo.url, connections, SECONDS, echoOnce);
        const runs = await closedLoop(url, connections, SECONDS, (client) => runOnce(client, 'bench-noop'));
        results.push(ratio(`no-op runs, ${connections} connections`, runs, bare, target));
        if (connections !== 16) continue;
        const p99 = percentile(runs.latencies, 0.99);
        const bareP99 = percentile(bare.latencies, 0.99);
        results.push(
          report({
            name: 'p99 of run creation, 16 connections',
            value: p99 / bareP99,
            atMost: 6,
            unit: 'x',
            detail: `${p99.toFixed(2)} ms against ${bareP99.toFixed(2)} ms`,
          }),
        );
        const three = await closedLoop(url, connections, SECONDS, (client) => runOnce(client, 'bench-three'));
        results.push(ratio('three-node runs, 16 connections', three, bare, 20));
      }
      return results.every(Boolean);
    } finally {
      await Promise.all([echo.stop(), host.stop()]);
    }
  });
}

function ratio(name: string, runs: LoopResult, bare: LoopResult, atLeast: number): boolean {
  const detail = `${runs.perSecond.toFixed(0)} runs/s against ${bare.perSecond.toFixed(0)} echoes/s`;
  return report({ name, value: (100 * runs.perSecond) / bare.perSecond, atLeast, unit: '%', detail });
}

async function echoOnce(client: Client): Promise<number> {
  const start = performance.now();
  const { status } = await send(client, 'POST', '/echo', HEADERS, '{"workflowId":"bench-noop"}');
  if (status !== 200) throw new Error(`echo answered ${status}`);
  return performance.now() - start;
}

/** Creates a run and reads it until it is terminal; the latency is that of the creation. */
async function runOnce(client: Client, workflowId: string): Promise<number> {
  const start = performance.now();
  const created = await send(client, 'POST', '/v1/runs', HEADERS, JSON.stringify({ workflowId }));
  const latency = performance.now() - start;
  if (created.status !== 201) throw new Error(`create answered ${created.status}: ${created.body}`);
  const { runId } = JSON.parse(created.body) as { runId: string };
  for (;;) {
    const { body } = await send(client, 'GET', `/v1/runs/${runId}`, HEADERS);
    const { status } = JSON.parse(body) as { status: string };
    if (status === 'completed') return latency;
    if (status === 'failed' || status === 'cancelled') throw new Error(`run ${runId} ended ${status}`);
  }
}
