import { expect, it } from 'vitest';
import { parseTime, parseTimeSpan } from './time-span.ts';

it.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['7d', 604_800_000],
  ['0s', 0],
])('%s is a span', (text, ms) => expect(parseTimeSpan(text)).toBe(ms));

it.each(['', '7', 'd', '-1d', '1.5h', '7 d', '1w', '1e3s', '9999999d'])('"%s" is not', (text) =>
  expect(parseTimeSpan(text)).toBeUndefined(),
);

it('takes spans from now and dates as they are', () => {
  expect(parseTime('1h', 1000)).toBe(3_601_000);
  expect(parseTime('2030-01-31', 0)).toBe(Date.UTC(2030, 0, 31));
  expect(parseTime('2030-01-31T12:00:00+01:00', 0)).toBe(Date.UTC(2030, 0, 31, 11));
});

it.each(['tomorrow', '5', '2030', '2030-13-01'])('refuses "%s" with exit code 2', (text) => {
  expect(() => parseTime(text, 0)).toThrow(expect.objectContaining({ exitCode: 2 }));
});
