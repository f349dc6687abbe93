import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = `
  const { openStore } = await import(process.argv[1]);
  const { pino } = await import('pino');
  const at = Number(process.argv[3]);
  while (Date.now() < at);
  const store = openStore({ path: process.argv[2], logger: pino({ level: 'silent' }) });
  await store.claims.start();
  await store.claims.stop();
  await store.close();
  console.log('opened');
`;

it('processes that open a new store at the same moment all succeed', { timeout: 60_000 }, async () => {
  const index = new URL('./index.ts', import.meta.url).href;
  for (let round = 0; round < 3; round += 1) {
    const dir = mkdtempSync(join(tmpdir(), 'wopr-open-'));
    try {
      const start = String(Date.now() + 1_500);
      const args = ['--input-type=module', '-e', SCRIPT, index, join(dir, 'store.sqlite'), start];
      const opened = await Promise.all(
        [1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })),
      );
      expect(opened.map(({ stdout }) => stdout.trim())).toEqual(Array(4).fill('opened'));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
});
