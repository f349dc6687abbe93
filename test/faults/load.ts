// Clients that start runs on a host which keeps dying under them, and remember everything they were promised.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import type { Random } from '../support/random.ts';

export interface Promised {
  /** Runs a client was told to exist. */
  readonly runs: Set<string>;
  /** Run each idempotency key was answered with. */
  readonly keys: Map<string, string>;
  /** Runs a client was told to be cancelled. */
  readonly cancelled: Set<string>;
  /** Answers that should never come. */
  readonly wrong: string[];
}

export interface LoadOptions {
  readonly key: string;
  readonly workflows: readonly string[];
  /** Started runs to be cancelled at times. */
  readonly cancellable: string;
  readonly random: Random;
  /** Base URL of the host that lives now; undefined while there is none. */
  readonly url: () => string | undefined;
  readonly over: () => boolean;
  readonly promised: Promised;
}

const NO_HOST_MS = 5;
const KEYED = 0.4;
/** How often a key that was answered is used once more, possibly for a host that never saw it. */
const REPEATED = 0.5;
const CANCELLED = 0.1;

interface Answer {
  readonly status: number;
  readonly json: { readonly runId?: string; readonly status?: string; readonly error?: string };
}

/** One client: starts runs one after the other until the load is over. A request without an answer is known to nobody but the store. */
export async function startRuns(name: string, options: LoadOptions): Promise<void> {
  const { random, promised, over, workflows, cancellable } = options;
  const connection = new Connection(options);
  for (let count = 0; !over(); count++) {
    const body = { workflowId: random.pick(workflows) };
    if (random.chance(KEYED)) {
      const key = `${name}-${count}`;
      const runId = await keyed(connection, key, { ...body, tags: [key] }, options);
      if (runId !== undefined && random.chance(REPEATED)) {
        await sleep(random.int(0, 300));
        await keyed(connection, key, { ...body, tags: [key] }, options);
      }
    } else if (random.chance(CANCELLED)) {
      const created = await connection.post('/v1/runs', { workflowId: cancellable });
      const runId = note(created, promised);
      if (runId !== undefined) {
        const answer = await connection.post(`/v1/runs/${runId}/cancel`, {});
        if (answer?.status === 200 && answer.json.status === 'cancelled') promised.cancelled.add(runId);
      }
    } else note(await connection.post('/v1/runs', body), promised);
    await sleep(random.int(0, 12));
  }
  await connection.close();
}

/** Repeats a keyed request until it is answered, over as many hosts as that takes. */
async function keyed(
  connection: Connection,
  key: string,
  body: object,
  { promised, over }: LoadOptions,
): Promise<string | undefined> {
  while (!over()) {
    const runId = note(await connection.post('/v1/runs', body, { 'idempotency-key': key }), promised);
    if (runId === undefined) {
      await sleep(20);
      continue;
    }
    const before = promised.keys.get(key);
    if (before !== undefined && before !== runId)
      promised.wrong.push(`key ${key} gave ${before}, then ${runId}`);
    promised.keys.set(key, runId);
    return runId;
  }
  return undefined;
}

/** The run that was acknowledged. */
function note(answer: Answer | undefined, { runs, wrong }: Promised): string | undefined {
  if (answer === undefined) return undefined;
  const { status, json } = answer;
  if (status === 201 && json.runId !== undefined) {
    runs.add(json.runId);
    return json.runId;
  }
  const busy = status === 503 || (status === 409 && json.error === 'idempotency_in_flight');
  if (!busy) wrong.push(`${status} ${JSON.stringify(json)}`);
  return undefined;
}

/** A connection to whichever host lives now. */
class Connection {
  readonly #options: LoadOptions;
  #client: Client | undefined;
  #to: string | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Undefined when the host died before it had answered completely. */
  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    const { url, over, key } = this.#options;
    let to = url();
    for (; to === undefined; to = url()) {
      if (over()) return undefined;
      await sleep(NO_HOST_MS);
    }
    if (to !== this.#to) {
      await this.close();
      this.#client = new Client(to);
      this.#to = to;
    }
    try {
      const response = await (this.#client as Client).request({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return { status: response.statusCode, json: (await response.body.json()) as Answer['json'] };
    } catch {
      // The host was killed: what the request did is unknown, and that is the point.
      await sleep(NO_HOST_MS);
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#client?.destroy();
    this.#client = undefined;
    this.#to = undefined;
  }
}
