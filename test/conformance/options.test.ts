import { expect, test } from 'vitest';
import { parseInvocation, UsageError } from './options.ts';

test('flags come before the environment', () => {
  const env = {
    OPENWOP_BASE_URL: 'http://env:1',
    OPENWOP_API_KEY: 'env-key',
    OPENWOP_STALE_CLAIM_CMD: 'serve',
  };
  expect(
    parseInvocation(['--base-url', 'http://flag:2/', '--only', 'auth, poll', '--only=errors'], env),
  ).toEqual({
    mode: 'run',
    json: false,
    options: {
      baseUrl: 'http://flag:2',
      apiKey: 'env-key',
      staleClaimCommand: 'serve',
      only: ['auth', 'poll', 'errors'],
    },
  });
});

test.each([
  [[], /--base-url/],
  [['--base-url', 'http://host'], /--api-key/],
  [['--base-url', 'host:1', '--api-key', 'k'], /not an http/],
  [['--nope'], /--nope/],
  [['stray'], /stray/],
])('%j is refused', (argv, message) => {
  expect(() => parseInvocation(argv, {})).toThrow(UsageError);
  expect(() => parseInvocation(argv, {})).toThrow(message);
});

test('help and list need nothing else', () => {
  expect(parseInvocation(['--help'], {}).mode).toBe('help');
  expect(parseInvocation(['--list'], {}).mode).toBe('list');
});
