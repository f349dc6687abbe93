import { expect, test } from 'vitest';
import { type Frame, SseParser } from './sse.ts';

function parse(pieces: readonly string[]): { frames: Frame[]; comments: string[] } {
  const frames: Frame[] = [];
  const comments: string[] = [];
  const parser = new SseParser(
    (frame) => frames.push(frame),
    (comment) => comments.push(comment),
  );
  for (const piece of pieces) parser.push(piece);
  return { frames, comments };
}

const TEXT = ':keepalive\n\nid: 0\nevent: run.started\ndata: {"a":1}\n\nid:1\ndata: one\ndata:two\n\n';
const EXPECTED = {
  frames: [
    { id: '0', event: 'run.started', data: '{"a":1}' },
    { id: '1', event: undefined, data: 'one\ntwo' },
  ],
  comments: ['keepalive'],
};

test('frames and comments', () => {
  expect(parse([TEXT])).toEqual(EXPECTED);
});

test('the text may be cut anywhere and end its lines in any way', () => {
  for (const text of [TEXT, TEXT.replaceAll('\n', '\r\n'), TEXT.replaceAll('\n', '\r')]) {
    const pieces = [...text];
    // A final CR stays open until more arrives.
    expect(parse([...pieces, text.endsWith('\r') ? '\n' : ''])).toEqual(EXPECTED);
  }
});

test('a field left out is undefined, and an unfinished frame is dropped', () => {
  expect(parse(['data: x\n\n', 'id: 5\ndata: y\n']).frames).toEqual([
    { id: undefined, event: undefined, data: 'x' },
  ]);
});
