// The closed-loop client both sides of a comparison are measured with: N connections, each sending its next request when it has its answer.
import { Client } from 'undici';

export interface LoopResult {
  /** Completed operations per second. */
  readonly perSecond: number;
  /** Latencies of the marked operation in ms, sorted. */
  readonly latencies: readonly number[];
}

/** One operation on one connection; returns the latency to record, ms. */
export type Operation = (client: Client) => Promise<number>;

export interface Side {
  readonly baseUrl: string;
  readonly operation: Operation;
}

export interface Comparison {
  /** One per side. */
  readonly results: readonly LoopResult[];
  /** Rate of each side as a share of the first side's, the median over all rounds. */
  readonly ratios: readonly number[];
}

const ROUNDS = 8;

/**
 * Measures the sides in turns, round after round, so that whatever else the machine does disturbs all of them alike: `seconds` each,
 * after a warm-up of a third of it, on `connections` connections each.
 */
export async function compare(
  sides: readonly Side[],
  connections: number,
  seconds: number,
): Promise<Comparison> {
  const lanes = sides.map(({ baseUrl, operation }) => ({
    clients: Array.from({ length: connections }, () => new Client(baseUrl, { pipelining: 1 })),
    operation,
    rounds: [] as Awaited<ReturnType<typeof loop>>[],
  }));
  try {
    for (const { clients, operation } of lanes) await loop(clients, seconds / 3, operation);
    for (let round = 0; round < ROUNDS; round++)
      for (const { clients, operation, rounds } of lanes)
        rounds.push(await loop(clients, seconds / ROUNDS, operation));
  } finally {
    await Promise.all(lanes.flatMap(({ clients }) => clients.map((client) => client.destroy())));
  }
  const rate = ({ count, elapsed }: { count: number; elapsed: number }) => count / (elapsed / 1000);
  return {
    results: lanes.map(({ rounds }) => ({
      perSecond: rounds.reduce((sum, round) => sum + rate(round), 0) / ROUNDS,
      latencies: rounds.flatMap(({ latencies }) => latencies).sort((a, b) => a - b),
    })),
    ratios: lanes.map(({ rounds }) =>
      median(rounds.map((round, index) => rate(round) / rate(lanes[0]?.rounds[index] ?? round))),
    ),
  };
}

async function loop(clients: readonly Client[], seconds: number, operation: Operation) {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) latencies.push(await operation(client));
    }),
  );
  return { count: latencies.length, latencies, elapsed: performance.now() - start };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends one request and reads the whole answer. */
export async function send(
  client: Client,
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answer> {
  const response = await client.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.statusCode, body: await response.body.text() };
}

export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
