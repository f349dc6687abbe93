import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import { HttpHost } from './http.ts';
import { type ServerSentEvent, serverSentEvents } from './sse.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose n-th request gets the n-th answer; the last answer repeats. */
async function serve(...answers: Answer[]): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  server = createServer((request, response) => {
    answers[Math.min(requests.length, answers.length - 1)]?.(request, response);
    requests.push(request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const json =
  (status: number, body: unknown): Answer =>
  (_, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  };

function event(sequence: number, type: RunEventDoc['type'] = 'log.appended'): RunEventDoc {
  return {
    eventId: `e${sequence}`,
    runId: 'r',
    type,
    payload: {},
    timestamp: '2026-01-01T00:00:00.000Z',
    sequence,
  };
}

const frame = (doc: RunEventDoc) =>
  `id: ${doc.sequence}\nevent: ${doc.type}\ndata: ${JSON.stringify(doc)}\n\n`;

/** Streams the events, then cuts the connection (`cut`) or ends the response. */
const stream =
  (docs: readonly RunEventDoc[], cut = false): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`:keepalive\n\n${docs.map(frame).join('')}`, () => {
      if (cut) response.socket?.destroy();
      else response.end();
    });
  };

async function collect(events: AsyncIterable<RunEventDoc>): Promise<number[]> {
  const sequences: number[] = [];
  for await (const { sequence } of events) sequences.push(sequence);
  return sequences;
}

const forever = new AbortController().signal;

describe('HttpHost', () => {
  it('sends the key, the body and an encoded path', async () => {
    const { url, requests } = await serve(json(200, { runId: 'r', status: 'cancelling' }));
    expect(await new HttpHost(`${url}/`, 'secret').cancel('a/b c', 'why')).toBe('cancelling');
    expect(requests[0]?.url).toBe('/v1/runs/a%2Fb%20c/cancel');
    expect(requests[0]?.method).toBe('POST');
    expect(requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/json',
    });
  });

  it('turns an envelope into a failure with its code and details', async () => {
    const { url } = await serve(
      json(400, { error: 'validation_error', message: 'No.', details: { errors: [] } }),
    );
    await expect(new HttpHost(url, 'k').register({})).rejects.toMatchObject({
      exitCode: 1,
      code: 'validation_error',
      message: 'No.',
      details: { errors: [] },
    });
  });

  it('tells which key to give when there is none', async () => {
    const { url, requests } = await serve(json(401, { error: 'unauthenticated', message: 'No key.' }));
    await expect(new HttpHost(url, undefined).snapshot('r')).rejects.toMatchObject({
      hint: expect.stringContaining('OPENWOP_API_KEY'),
    });
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  it('answers undefined for a workflow the host does not know', async () => {
    const { url } = await serve(json(404, { error: 'not_found', message: 'No such workflow.' }));
    expect(await new HttpHost(url, 'k').workflow('w')).toBeUndefined();
  });

  it('fails with exit code 3 where no host answers, or something else does', async () => {
    await expect(new HttpHost('http://127.0.0.1:9', 'k').snapshot('r')).rejects.toMatchObject({
      exitCode: 3,
      code: 'host_unreachable',
    });
    const { url } = await serve(json(502, '<html>bad gateway</html>'));
    await expect(new HttpHost(url, 'k').snapshot('r')).rejects.toMatchObject({
      exitCode: 3,
      code: 'not_a_host',
    });
  });

  it('collects every page of workflows', async () => {
    const { url, requests } = await serve(
      json(200, { workflows: [{ workflowId: 'a' }], nextCursor: 'n&1' }),
      json(200, { workflows: [{ workflowId: 'b' }] }),
    );
    expect(await new HttpHost(url, 'k').workflows()).toEqual([{ workflowId: 'a' }, { workflowId: 'b' }]);
    expect(requests[1]?.url).toBe('/v1/workflows?cursor=n%261');
  });
});

describe('following a run', () => {
  it('ends with the terminal event', async () => {
    const { url } = await serve(stream([event(0), event(1, 'run.completed')]));
    expect(await collect(new HttpHost(url, 'k').follow('r', 0, forever))).toEqual([0, 1]);
  });

  it('goes on after the last event seen when the connection breaks, without gap or repeat', async () => {
    const lost: boolean[] = [];
    const { url, requests } = await serve(
      stream([event(0), event(1)], true),
      json(503, { error: 'service_unavailable', message: 'Starting.' }),
      stream([event(1), event(2), event(3, 'run.failed')]),
    );
    expect(
      await collect(new HttpHost(url, 'k').follow('r', 0, forever, { onLost: (is) => lost.push(is) })),
    ).toEqual([0, 1, 2, 3]);
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1']);
    expect(lost).toEqual([true, false]);
  });

  it('gives up on a refusal at once', async () => {
    const { url, requests } = await serve(json(404, { error: 'not_found', message: 'No such run.' }));
    await expect(collect(new HttpHost(url, 'k').follow('r', 0, forever))).rejects.toMatchObject({
      code: 'not_found',
      exitCode: 1,
    });
    expect(requests).toHaveLength(1);
  });

  it('gives up when the patience is over', async () => {
    const { url } = await serve(stream([event(0)], true), (_, response) => response.destroy());
    await expect(
      collect(new HttpHost(url, 'k').follow('r', 0, forever, { patienceMs: 0 })),
    ).rejects.toMatchObject({ exitCode: 3 });
  });

  it('stops quietly when the user does', async () => {
    const abort = new AbortController();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame(event(0)));
    });
    const seen: number[] = [];
    for await (const { sequence } of new HttpHost(url, 'k').follow('r', 0, abort.signal)) {
      seen.push(sequence);
      abort.abort();
    }
    expect(seen).toEqual([0]);
  });
});

describe('serverSentEvents', () => {
  async function parse(...chunks: string[]): Promise<ServerSentEvent[]> {
    async function* bytes() {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    }
    const events: ServerSentEvent[] = [];
    for await (const one of serverSentEvents(bytes())) events.push(one);
    return events;
  }

  it('puts events together whatever the chunks and line ends', async () => {
    const expected = [
      { event: 'a', data: '1\n2', id: '7' },
      { event: 'message', data: '', id: '7' },
    ];
    const text = ': note\nid: 7\nevent: a\ndata: 1\ndata:2\n\ndata\n\nevent: lost\n';
    expect(await parse(text)).toEqual(expected);
    expect(await parse(...text)).toEqual(expected);
    expect(await parse(...text.replaceAll('\n', '\r\n'))).toEqual(expected);
  });

  it('drops what is unfinished at the end', async () => {
    expect(await parse('data: x\n')).toEqual([]);
  });

  it('decodes characters cut in two', async () => {
    const bytes = new TextEncoder().encode('data: 長\n\n');
    async function* halves() {
      yield bytes.slice(0, 7);
      yield bytes.slice(7);
    }
    const events: ServerSentEvent[] = [];
    for await (const one of serverSentEvents(halves())) events.push(one);
    expect(events).toEqual([{ event: 'message', data: '長', id: undefined }]);
  });
});
