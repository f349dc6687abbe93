/** Writes a response: one text at once, or a stream with back-pressure. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';

const JSON_TYPE = 'application/json';

/** The response, or 304 when it has an `etag` that the client says it knows (RFC 9110 §13.1.2). */
export function unlessKnown(response: RouteResponse, { method, headers }: RouteRequest): RouteResponse {
  const known = headers['if-none-match'];
  const etag = response.headers?.etag;
  if (known === undefined || etag === undefined || response.status !== 200) return response;
  if (method !== 'GET' && method !== 'HEAD') return response;
  const matches = known.split(',').some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, '')));
  return matches ? { status: 304, ...(response.headers && { headers: response.headers }) } : response;
}

/** Sends everything but streams. */
export function sendText(out: ServerResponse, response: RouteResponse, traceparent: string): void {
  const headers: OutgoingHttpHeaders = { traceparent };
  let text = response.json;
  if (text === undefined && response.body !== undefined) text = JSON.stringify(response.body);
  if (text !== undefined) headers['content-type'] = JSON_TYPE;
  else text = response.text ?? '';
  if (response.headers !== undefined) Object.assign(headers, response.headers);
  // 204 and 304 have no content, and no length either (RFC 9110 §8.6).
  if (response.status !== 204 && response.status !== 304) headers['content-length'] = Buffer.byteLength(text);
  else text = '';
  out.writeHead(response.status, headers);
  out.end(text);
}

/**
 * Sends a stream to its end, waiting whenever the client reads slower than chunks come. Returns early, closing the iterable, when the
 * client has gone. Rejects with what the iterable threw; the response is cut off then, so that nobody takes it for complete.
 */
export async function sendStream(
  out: ServerResponse,
  response: RouteResponse & { readonly stream: AsyncIterable<string> },
  traceparent: string,
): Promise<void> {
  out.writeHead(response.status, { traceparent, ...response.headers });
  // The head goes out at once: an event stream may have nothing to say for a long time.
  out.flushHeaders();
  if (out.req.method === 'HEAD') {
    out.end();
    await response.stream[Symbol.asyncIterator]().return?.();
    return;
  }
  try {
    for await (const chunk of response.stream) {
      if (out.destroyed) return;
      if (!out.write(chunk)) await drained(out);
    }
    out.end();
  } catch (error) {
    out.destroy();
    throw error;
  }
}

/** Resolves when the client has read on, or has gone. */
function drained(out: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      out.off('drain', done).off('close', done);
      resolve();
    };
    if (out.destroyed) resolve();
    else out.on('drain', done).on('close', done);
  });
}
