/** Server-sent events: an incremental parser, and a reader that records what a stream sends and how it ends. */
import type { Call, HttpClient } from './client.ts';

/** One dispatched frame. A field is undefined when the host left it out, so that this can be tested. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** Parses `text/event-stream` text that arrives in pieces, cut anywhere. */
export class SseParser {
  readonly #onFrame: (frame: Frame) => void;
  readonly #onComment: (comment: string) => void;
  #rest = '';
  #id: string | undefined;
  #event: string | undefined;
  #data: string[] = [];

  constructor(onFrame: (frame: Frame) => void, onComment: (comment: string) => void) {
    this.#onFrame = onFrame;
    this.#onComment = onComment;
  }

  push(text: string): void {
    // A CR at the end may be the first half of a CRLF: it waits for the next piece.
    const parts = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = parts.pop() ?? '';
    for (const line of parts) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    if (line.startsWith(':')) {
      this.#onComment(line.slice(1));
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
  }

  #dispatch(): void {
    if (this.#data.length > 0) {
      this.#onFrame({ id: this.#id, event: this.#event, data: this.#data.join('\n') });
    }
    this.#id = undefined;
    this.#event = undefined;
    this.#data = [];
  }
}

export interface Recording {
  readonly status: number;
  readonly headers: Headers;
  readonly frames: readonly Frame[];
  /** Comment lines without their colon. */
  readonly comments: readonly string[];
  /** `host`: it closed the stream; `reader`: `until` was met; `timeout`: neither happened in time. */
  readonly endedBy: 'host' | 'reader' | 'timeout';
  /** Answer body when the status is not 200. */
  readonly text: string;
}

export interface Watch {
  readonly headers?: Call['headers'];
  readonly key?: Call['key'];
  readonly timeoutMs?: number;
  /** Stop reading once this holds; asked after every frame and comment. */
  readonly until?: (seen: { frames: readonly Frame[]; comments: readonly string[] }) => boolean;
  /** Called as soon as the host has answered, before the first frame. */
  readonly onOpen?: () => void;
}

/** Reads a stream to its end, to `until`, or to the timeout (default 15 s). */
export async function record(client: HttpClient, path: string, watch: Watch = {}): Promise<Recording> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), watch.timeoutMs ?? 15_000);
  const frames: Frame[] = [];
  const comments: string[] = [];
  const parser = new SseParser(
    (frame) => frames.push(frame),
    (comment) => comments.push(comment),
  );
  try {
    const headers = { accept: 'text/event-stream', ...watch.headers };
    const call: Call = { headers, ...(watch.key === undefined ? {} : { key: watch.key }) };
    const response = await client.open(path, call, controller.signal);
    const seen = { status: response.status, headers: response.headers, frames, comments };
    watch.onOpen?.();
    if (response.status !== 200) return { ...seen, endedBy: 'host', text: await response.text() };
    const endedBy = await consume(response, parser, () => watch.until?.({ frames, comments }) ?? false);
    return { ...seen, endedBy, text: '' };
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function consume(
  response: Response,
  parser: SseParser,
  done: () => boolean,
): Promise<Recording['endedBy']> {
  if (response.body === null) return 'host';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) {
      parser.push(decoder.decode(chunk, { stream: true }));
      if (done()) return 'reader';
    }
    return 'host';
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return 'timeout';
    throw error;
  }
}
