import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('./demo.ts', import.meta.url));

it('shows what it promises: everything holds, exit code 0, no terminal sequences when piped', {
  timeout: 60_000,
}, async () => {
  const child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('kill -9');
  expect(out).toContain('run recovered by another process');
  expect(out).toContain('Everything held');
  expect(out).not.toContain('not true');
  expect(out).not.toContain('\u001b');
});
