/** The ops port: a few fixed paths, apart from the public API and without keys, hence bound to loopback. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface OpsServer {
  /** Rejects when the port cannot be opened. */
  listen(host: string, port: number): Promise<void>;
  address(): string | undefined;
  close(): Promise<void>;
}

/** `pages` by path. One that rejects answers 500 and is reported. */
export function createOpsServer(
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
  onError: (path: string, error: unknown) => void,
): OpsServer {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined)
      return send(response, failed(404, 'not_found', `Use one of ${Object.keys(pages).join(', ')}.`));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(response, failed(405, 'method_not_allowed', 'Only GET is supported.'));
    }
    try {
      send(response, await page());
    } catch (error) {
      onError(path, error);
      send(response, failed(500, 'internal_error', 'The log says why.'));
    }
  });
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      }),
    address: () => {
      const bound = server.address() as AddressInfo | null;
      if (bound === null) return undefined;
      return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
    },
    close: () =>
      new Promise((resolve) => {
        // Called back also when it never listened.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, contentType, text }: Page): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const failed = (status: number, error: string, message: string): Page => ({
  status,
  contentType: 'application/json',
  text: JSON.stringify({ error, message }),
});
