/** A small HTTP client that hides nothing: every status is an answer, headers and body stay as they came. */
import { setTimeout as sleep } from 'node:timers/promises';

const REQUEST_TIMEOUT_MS = 20_000;
/** Waits that a 429 may cost a scenario which is not about rate limits. */
const PATIENT_TRIES = 5;
const LONGEST_WAIT_MS = 10_000;

export interface Call {
  readonly method?: string;
  /** Credential: the client's own when absent, none at all when null. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly text?: string;
  readonly timeoutMs?: number;
  /** Wait and try again when the host answers 429. Default true. */
  readonly patient?: boolean;
}

export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;

  constructor(status: number, headers: Headers, text: string) {
    this.status = status;
    this.headers = headers;
    this.text = text;
  }

  /** The parsed body. Throws when it is not JSON. */
  get json(): unknown {
    try {
      return JSON.parse(this.text);
    } catch {
      throw new Error(
        `The answer with status ${this.status} is not JSON: ${this.text.slice(0, 200) || '(empty)'}`,
      );
    }
  }

  /** The parsed body, which has to be a JSON object. */
  get object(): Record<string, unknown> {
    const body = this.json;
    if (!isObject(body)) throw new Error(`Expected a JSON object, got ${this.text.slice(0, 200)}`);
    return body;
  }

  /** Whole seconds of `Retry-After`; undefined when absent or not an integer. */
  get retryAfterSeconds(): number | undefined {
    const value = this.headers.get('retry-after');
    return value !== null && /^\d+$/.test(value.trim()) ? Number(value) : undefined;
  }
}

export class HttpClient {
  readonly baseUrl: string;
  readonly #key: string;

  constructor(baseUrl: string, key: string) {
    this.baseUrl = baseUrl;
    this.#key = key;
  }

  get(path: string, call: Omit<Call, 'method' | 'body'> = {}): Promise<Answer> {
    return this.send(path, call);
  }

  post(path: string, body?: unknown, call: Omit<Call, 'method' | 'body'> = {}): Promise<Answer> {
    return this.send(path, { ...call, method: 'POST', ...(body === undefined ? {} : { body }) });
  }

  async send(path: string, call: Call = {}): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const response = await this.open(path, call, AbortSignal.timeout(call.timeoutMs ?? REQUEST_TIMEOUT_MS));
      const answer = new Answer(response.status, response.headers, await response.text());
      if (answer.status !== 429 || call.patient === false || tries === PATIENT_TRIES) return answer;
      await sleep(Math.min((answer.retryAfterSeconds ?? 1) * 1000, LONGEST_WAIT_MS));
    }
  }

  /** The response with its body unread, for streams. */
  open(path: string, call: Call, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(call.headers);
    const key = call.key === undefined ? this.#key : call.key;
    if (key !== null && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`);
    const body = call.text ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    return fetch(this.baseUrl + path, {
      method: call.method ?? 'GET',
      headers,
      redirect: 'manual',
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
