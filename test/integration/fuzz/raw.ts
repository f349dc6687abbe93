// Bytes that are no proper HTTP, sent over plain sockets.
import { connect } from 'node:net';
import type { Random } from '../../support/random.ts';

const HOST = 'Host: localhost\r\n';
const post = (headers: string, body: string) => `POST /v1/runs HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;

/** `authorization`: a complete header line. */
export function rawRequests(authorization: string, random: Random): string[] {
  const json = `${authorization}content-type: application/json\r\n`;
  return [
    '\r\n\r\n',
    'GET\r\n\r\n',
    'GET /v1/runs\r\n\r\n',
    'GET /v1/runs HTTP/9.9\r\n\r\n',
    'GET /v1/runs HTTP/1.1\r\n\r\n',
    `GET /v1/runs/a\0b HTTP/1.1\r\n${HOST}\r\n`,
    `GET /v1/runs/\xff\xfe HTTP/1.1\r\n${HOST}\r\n`,
    `GET v1/runs HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://[::1/v1/runs HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://elsewhere.example/v1/runs HTTP/1.1\r\n${HOST}${authorization}\r\n`,
    `CONNECT localhost:1 HTTP/1.1\r\n${HOST}\r\n`,
    `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    `TRACE /v1/runs HTTP/1.1\r\n${HOST}${authorization}\r\n`,
    `BREW /v1/runs HTTP/1.1\r\n${HOST}\r\n`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    `GET /v1/runs HTTP/1.1\r\nHost: a\r\nHost: b\r\n${authorization}\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}bad header\r\n\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}x: a\0b\r\n\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST} folded: x\r\n\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}${'x: y\r\n'.repeat(3000)}\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}x: ${'y'.repeat(40_000)}\r\n\r\n`,
    `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n${authorization}\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${HOST}Expect: the-unexpected\r\n\r\n`,
    post(`${json}content-length: -1\r\n`, '{}'),
    post(`${json}content-length: x\r\n`, '{}'),
    post(`${json}content-length: 99999999999999999999\r\n`, '{}'),
    post(`${json}content-length: 2\r\ncontent-length: 3\r\n`, '{}'),
    post(`${json}content-length: 2\r\ntransfer-encoding: chunked\r\n`, '{}'),
    post(`${json}transfer-encoding: gzip\r\n`, '{}'),
    post(`${json}transfer-encoding: chunked\r\n`, 'zz\r\n{}\r\n0\r\n\r\n'),
    post(`${json}transfer-encoding: chunked\r\n`, 'ffffffffffffffff\r\n{}'),
    post(`${json}content-length: 2\r\n`, '{}GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n'),
    post(`${json}content-length: 2000000\r\n`, '{'),
    post('authorization: \r\n', ''),
    post('authorization: Bearer\r\n', ''),
    post('authorization: Basic eDp5\r\n', ''),
    post(`authorization: Bearer ${'k'.repeat(9000)}\r\n`, ''),
    post(`${authorization}${authorization}`, ''),
    ...Array.from({ length: 200 }, () =>
      String.fromCharCode(...Array.from({ length: random.int(1, 400) }, () => random.int(0, 255))),
    ),
  ];
}

/** What the server says before it hangs up, or within the given time. Half-sent requests are given up by hanging up. */
export function exchange(url: string, bytes: string, ms = 300): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'));
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
    });
    // A reset is a way of hanging up.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}
