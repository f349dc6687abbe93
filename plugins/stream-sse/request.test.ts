import { describe, expect, test } from 'vitest';
import { bufferMsOf, modesOf, startOf, wantsJson } from './request.ts';
import { debug, updates, values } from './testing.ts';

const OFFERED = [updates, debug, values];

describe('streamMode', () => {
  test.each([
    [undefined, ['updates']],
    ['updates', ['updates']],
    ['values', ['values']],
    ['debug,updates', ['debug', 'updates']],
    ['updates,updates', ['updates']],
    [
      ['updates', 'debug'],
      ['updates', 'debug'],
    ],
  ])('%j names %j', (value, names) => {
    expect(modesOf(value, OFFERED).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    '',
    'all',
    'UPDATES',
    'messages',
    'updates,',
    'updates,all',
    'updates, debug',
    'values,updates',
    'updates,values',
  ])('%j is not supported, and the error lists what is', (value) => {
    const refused = expect.objectContaining({
      code: 'unsupported_stream_mode',
      details: { supported: ['updates', 'debug', 'values'] },
    });
    expect(() => modesOf(value, OFFERED)).toThrow(refused);
  });
});

test.each([
  [undefined, 0],
  ['0', 0],
  ['1', 1],
  ['5000', 5000],
])('bufferMs %j is %i', (value, ms) => {
  expect(bufferMsOf(value)).toBe(ms);
});

test.each(['5001', '-1', '1.5', 'x', '', '1e3', '99999999999999999999', ['1', '2']].map((value) => [value]))(
  'bufferMs %j is refused',
  (value) => {
    expect(() => bufferMsOf(value)).toThrow(expect.objectContaining({ code: 'validation_error' }));
  },
);

test.each([
  [undefined, 0],
  ['', 0],
  ['0', 1],
  ['4', 5],
  [' 4 ', 5],
  ['9', 10],
  ['10', 10],
  ['99999999999999999999999', 10],
  ['run_a.4', 5],
  ['run_a.x', 0],
  ['run_b.4', 0],
  ['-1', 0],
  ['1.5', 0],
  ['nonsense', 0],
])('Last-Event-ID %j on a log of ten starts at %i', (id, start) => {
  expect(startOf(id, 'run_a', 10)).toBe(start);
});

test.each([
  [undefined, false],
  ['*/*', false],
  ['text/event-stream', false],
  ['application/json', true],
  ['Application/JSON; q=0.9', true],
  ['text/html, application/json', true],
  ['application/json, text/event-stream', false],
  ['application/jsonp', false],
])('Accept %j asks for JSON: %s', (accept, json) => {
  expect(wantsJson(accept === undefined ? {} : { accept })).toBe(json);
});
