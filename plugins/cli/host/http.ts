/** A host reached over HTTP with an API key. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, EXIT } from '../../../kernel/commands.ts';
import { isTerminalEventType } from '../../../schemas/event-types.ts';
import type { JsonObject } from '../../../schemas/json.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { RunSnapshot } from '../../../schemas/run-snapshot.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';
import type {
  FollowOptions,
  HostClient,
  Registered,
  RunQuery,
  RunSummary,
  StartRun,
  WorkflowSummary,
} from './client.ts';
import { serverSentEvents } from './sse.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_PATIENCE_MS = 30_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class HttpHost implements HostClient {
  readonly address: string;
  readonly isLocal = false;
  readonly #key: string | undefined;

  /** `baseUrl` without a path, e.g. `http://127.0.0.1:3737`. */
  constructor(baseUrl: string, key: string | undefined) {
    this.address = baseUrl.replace(/\/+$/, '');
    this.#key = key;
  }

  async register(definition: unknown): Promise<Registered> {
    const answer = await this.#json<Omit<Registered, 'warnings'> & Partial<Registered>>('/v1/workflows', {
      method: 'POST',
      body: definition,
    });
    return { ...answer, warnings: answer.warnings ?? [] };
  }

  async workflows(): Promise<readonly WorkflowSummary[]> {
    const all: WorkflowSummary[] = [];
    let cursor: string | undefined;
    do {
      const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const page = await this.#json<{ workflows: WorkflowSummary[]; nextCursor?: string }>(
        `/v1/workflows${query}`,
      );
      all.push(...page.workflows);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return all;
  }

  async workflow(workflowId: string): Promise<WorkflowDefinition | undefined> {
    try {
      return await this.#json<WorkflowDefinition>(`/v1/workflows/${encodeURIComponent(workflowId)}`);
    } catch (error) {
      if (error instanceof CommandFailure && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  createRun(request: StartRun): Promise<{ runId: string; status: string }> {
    return this.#json('/v1/runs', { method: 'POST', body: request });
  }

  snapshot(runId: string): Promise<RunSnapshot> {
    return this.#json(`/v1/runs/${encodeURIComponent(runId)}`);
  }

  runs(query: RunQuery): Promise<{ runs: RunSummary[]; nextCursor?: string }> {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) parameters.set(key, String(value));
    return this.#json(`/v1/runs?${parameters}`);
  }

  async *events(runId: string): AsyncGenerator<RunEventDoc> {
    const page = await this.#json<{ events: RunEventDoc[] }>(`/v1/runs/${encodeURIComponent(runId)}/events`);
    yield* page.events;
  }

  /** Survives a host that goes away and comes back: continues after the last event seen, so nothing is lost or repeated. */
  async *follow(
    runId: string,
    fromSequence: number,
    signal: AbortSignal,
    options: FollowOptions = {},
  ): AsyncGenerator<RunEventDoc> {
    const patience = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    let next = fromSequence;
    let lostAt: number | undefined;
    let pause = FIRST_RETRY_MS;
    while (!signal.aborted) {
      let failure: unknown;
      try {
        for await (const event of this.#stream(runId, next, signal)) {
          if (event === 'open') {
            if (lostAt !== undefined) options.onLost?.(false);
            lostAt = undefined;
            pause = FIRST_RETRY_MS;
            continue;
          }
          if (event.sequence < next) continue;
          next = event.sequence + 1;
          yield event;
          if (isTerminalEventType(event.type)) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) throw error;
        failure = error;
      }
      if (lostAt === undefined) options.onLost?.(true);
      lostAt ??= Date.now();
      if (Date.now() - lostAt > patience) throw failure ?? this.#unreachable(undefined);
      await sleep(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_RETRY_MS);
    }
  }

  async cancel(runId: string, reason: string | undefined): Promise<string> {
    const body = reason === undefined ? {} : { reason };
    return (
      await this.#json<{ status: string }>(`/v1/runs/${encodeURIComponent(runId)}/cancel`, {
        method: 'POST',
        body,
      })
    ).status;
  }

  async close(): Promise<void> {}

  async *#stream(runId: string, from: number, signal: AbortSignal): AsyncGenerator<RunEventDoc | 'open'> {
    const response = await this.#send(`/v1/runs/${encodeURIComponent(runId)}/events?streamMode=debug`, {
      signal,
      accept: 'text/event-stream',
      headers: from === 0 ? {} : { 'last-event-id': String(from - 1) },
    });
    yield 'open';
    if (response.body === null) return;
    try {
      for await (const { data } of serverSentEvents(response.body)) yield JSON.parse(data) as RunEventDoc;
    } catch (error) {
      throw signal.aborted || error instanceof SyntaxError ? error : this.#unreachable(error);
    }
  }

  async #json<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.#send(path, {
      ...call,
      signal: call.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return (await response.json()) as T;
  }

  async #send(
    path: string,
    { method = 'GET', body, signal, accept = 'application/json', headers = {} }: Call,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.address + path, {
        method,
        headers: {
          accept,
          ...headers,
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
    if (response.ok) return response;
    throw await this.#refusal(response);
  }

  /** The host's own error; anything that is not the envelope is quoted by its status only. */
  async #refusal(response: Response): Promise<CommandFailure> {
    const envelope: unknown = await response.json().catch(() => null);
    const { error, message, details } = isObject(envelope) ? envelope : {};
    if (typeof error !== 'string' || typeof message !== 'string') {
      return new CommandFailure(
        EXIT.unreachable,
        'not_a_host',
        `${this.address} answered ${response.status}, which no OpenWOP host would.`,
        {
          hint: 'Check --url and OPENWOP_BASE_URL.',
        },
      );
    }
    const hint =
      response.status === 401 ? { hint: 'Give a valid key with --api-key or OPENWOP_API_KEY.' } : {};
    return new CommandFailure(EXIT.failed, error, message, {
      ...hint,
      ...(isObject(details) ? { details } : {}),
    });
  }

  #unreachable(cause: unknown): CommandFailure {
    const reason = reasonOf(cause);
    return new CommandFailure(
      EXIT.unreachable,
      'host_unreachable',
      `Cannot reach a host at ${this.address}${reason}.`,
      {
        hint: 'Is "wopr serve" running there? Check --url and OPENWOP_BASE_URL.',
        cause,
      },
    );
  }
}

/** Worth another try while following: the connection broke, or the host is starting, stopping or full. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof CommandFailure &&
    ['host_unreachable', 'service_unavailable', 'rate_limited'].includes(error.code)
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'TimeoutError') return ': no answer in time';
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  return code === undefined ? '' : `: ${code}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
