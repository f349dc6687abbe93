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

/** Runs `operation` on `connections` connections for `seconds`, after a warm-up of a third of it. */
export async function closedLoop(
  baseUrl: string,
  connections: number,
  seconds: number,
  operation: Operation,
): Promise<LoopResult> {
  const clients = Array.from({ length: connections }, () => new Client(baseUrl, { pipelining: 1 }));
  try {
    await loop(clients, seconds / 3, operation);
    const { count, latencies, elapsed } = await loop(clients, seconds, operation);
    return { perSecond: count / (elapsed / 1000), latencies: latencies.sort((a, b) => a - b) };
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
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
