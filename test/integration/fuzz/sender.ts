// Sends many requests over a few connections and collects what came back.
import { Client, type Dispatcher } from 'undici';
import type { FuzzRequest } from './requests.ts';

export interface FuzzAnswer {
  readonly request: FuzzRequest;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const PATIENCE_MS = 10_000;

/** `observe` is called once per request. */
export async function sendAll(
  url: string,
  requests: readonly FuzzRequest[],
  connections: number,
  observe: (answer: FuzzAnswer) => void,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new Client(url, { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
      for (let request = requests[next++]; request !== undefined; request = requests[next++])
        observe(await send(client, request));
      await client.destroy();
    }),
  );
}

async function send(client: Client, request: FuzzRequest): Promise<FuzzAnswer> {
  const { method, path, headers, body } = request;
  try {
    const answer = await client.request({
      method: method as Dispatcher.HttpMethod,
      path,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { request, status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  } catch (error) {
    return { request, status: 0, headers: {}, text: String(error) };
  }
}
