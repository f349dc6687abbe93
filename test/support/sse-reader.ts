// A subscriber of an event stream on a socket of its own, cheap enough to have a thousand of.
import { connect, type Socket } from 'node:net';

export interface SseReader {
  /** Ids of the frames read so far, in order. */
  readonly ids: readonly number[];
  /** Resolves when the host has ended the stream; rejects when the answer is not 200 or the connection breaks. */
  readonly done: Promise<void>;
  /** Reads nothing any more, so that the host cannot write either, until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** `onFirst` is called with the first bytes of the answer. */
export function readStream(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  onFirst: () => void = () => {},
): SseReader {
  const { hostname, port } = new URL(url);
  const ids: number[] = [];
  let rest = '';
  let begun = false;
  let finished = false;
  const socket: Socket = connect(Number(port), hostname);
  const lines = Object.entries({ host: 'localhost', ...headers, connection: 'close' });
  socket.write(
    `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  socket.setEncoding('utf8');
  const done = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: string) => {
      if (!begun) {
        begun = true;
        if (!chunk.startsWith('HTTP/1.1 200 ')) reject(new Error(chunk));
        onFirst();
      }
      const text = rest + chunk;
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      for (const [, id] of text.slice(0, end).matchAll(/^id: (\d+)$/gm)) ids.push(Number(id));
      // The last chunk of a chunked answer: the host ended it, nothing was cut off.
      if (/(^|\n)0\r\n\r\n$/.test(text)) finished = true;
    });
    socket.on('error', reject);
    socket.on('close', () => (finished ? resolve() : reject(new Error('The stream was cut off.'))));
  });
  // Whoever is interested awaits it; a reader that is closed on purpose is not.
  done.catch(() => {});
  return {
    ids,
    done,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
}
