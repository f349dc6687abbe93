import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { announceHost, runningHost } from './running.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-running-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

it('finds the announced host until it withdraws', () => {
  const host = { url: 'http://127.0.0.1:1', pid: process.pid };
  const withdraw = announceHost(dataDir, host);
  expect(runningHost(dataDir)).toEqual(host);
  withdraw();
  expect(runningHost(dataDir)).toBeUndefined();
  expect(readdirSync(dataDir)).toEqual([]);
});

it('ignores the note of a process that is gone, and one that is no note', () => {
  // Process ids end at 2^22 on Linux.
  announceHost(dataDir, { url: 'http://127.0.0.1:1', pid: 2 ** 30 });
  expect(runningHost(dataDir)).toBeUndefined();
  writeFileSync(join(dataDir, 'host.json'), '{"url":');
  expect(runningHost(dataDir)).toBeUndefined();
  writeFileSync(join(dataDir, 'host.json'), 'null');
  expect(runningHost(dataDir)).toBeUndefined();
});

it('leaves the note of a host that came later', () => {
  const withdraw = announceHost(dataDir, { url: 'http://127.0.0.1:1', pid: 1 });
  announceHost(dataDir, { url: 'http://127.0.0.1:2', pid: process.pid });
  withdraw();
  expect(runningHost(dataDir)?.url).toBe('http://127.0.0.1:2');
});
