import { expect, it } from 'vitest';
import { logLines } from './log-lines.ts';

function line(entry: unknown, color = false): string {
  let text = '';
  const output = logLines({ write: (part) => (text += part) }, color);
  output.write(typeof entry === 'string' ? entry : `${JSON.stringify(entry)}\n`);
  return text;
}

const time = '2026-01-01T12:34:56.789Z';

it('shows time, level, plugin, message and the other fields on one line', () => {
  expect(line({ level: 40, time, msg: 'slow', plugin: 'http', ms: 12, route: '/v1/runs' })).toBe(
    '12:34:56.789 warn  http: slow  ms=12 route=/v1/runs\n',
  );
});

it('adds the message of an error, without its stack', () => {
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at x' };
  expect(line({ level: 50, time, msg: 'failed', err })).toBe('12:34:56.789 error failed: boom\n');
});

it('keeps terminal sequences and line breaks of others out', () => {
  expect(line({ level: 30, time, msg: 'a\nb\u001b[2Jc', x: '\u001b]0;t\u0007' })).toBe(
    '12:34:56.789 info  a bc  x=\n',
  );
});

it('passes on what is no log entry', () => {
  expect(line('plain\n')).toBe('plain \n');
});
