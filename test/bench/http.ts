// Completed runs per second over HTTP against the requests per second of a bare Fastify echo, same client, same run.
import type { Client } from 'undici';
import { type Comparison, compare, percentile, send } from './closed-loop.ts';
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
      const bare = { baseUrl: echo.url, operation: echoOnce };
      const noop = { baseUrl: url, operation: (client: Client) => runOnce(client, 'bench-noop') };
      const three = { baseUrl: url, operation: (client: Client) => runOnce(client, 'bench-three') };
      for (const [connections, target] of [
        [1, 25],
        [16, 30],
        [64, 30],
      ] as const) {
        const sides = connections === 16 ? [bare, noop, three] : [bare, noop];
        const comparison = await compare(sides, connections, SECONDS);
        results.push(share(`no-op runs, ${connections} connections`, comparison, 1, target));
        if (connections !== 16) continue;
        const [echoP99 = Number.NaN, createP99 = Number.NaN] = comparison.results.map(({ latencies }) =>
          percentile(latencies, 0.99),
        );
        results.push(
          report({
            name: 'p99 of run creation, 16 connections',
            value: createP99 / echoP99,
            atMost: 6,
            unit: 'x',
            detail: `${createP99.toFixed(2)} ms against ${echoP99.toFixed(2)} ms`,
          }),
          share('three-node runs, 16 connections', comparison, 2, 20),
        );
      }
      return results.every(Boolean);
    } finally {
      await Promise.all([echo.stop(), host.stop()]);
    }
  });
}

/** A side of a comparison against its first one, the echo. */
function share(name: string, { results, ratios }: Comparison, side: number, atLeast: number): boolean {
  const [bare, runs] = [results[0], results[side]].map((each) => each?.perSecond.toFixed(0));
  return report({
    name,
    value: 100 * (ratios[side] ?? Number.NaN),
    atLeast,
    unit: '%',
    detail: `${runs} runs/s against ${bare} echoes/s`,
  });
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
