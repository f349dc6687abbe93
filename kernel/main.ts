#!/usr/bin/env node
/** The bin `wopr`: refuses a Node that is too old, then hands the process to `cli.ts`. */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const REQUIRED_NODE_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < REQUIRED_NODE_MAJOR) {
  process.stderr.write(
    `wopr needs Node ${REQUIRED_NODE_MAJOR} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      '  In a checkout, "npm ci" installs a fitting Node: use "npx wopr", or "npm run" with a script of package.json.\n',
  );
  process.exitCode = 1;
} else {
  // A reader that went away (`wopr runs list | head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  // Imported only now: an older Node must not fail on the syntax of the rest before it has read the message above.
  const { runCli } = await import('./cli.ts');
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    version,
    onSignal(listener) {
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => void process.off('SIGINT', listener).off('SIGTERM', listener);
    },
  });
}
