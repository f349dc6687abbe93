// Child processes of a benchmark, on the Node that runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HostChild } from '../support/host-child.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

const KEY = 'hk_test_bench';
/** Of requests to a host of `startHost`. */
export const HEADERS = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

const READY_MS = 20_000;

export interface Child {
  readonly process: ChildProcess;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a script and waits for the first line that holds an http URL. Rejects when it exits before or says nothing for 20 s. */
export async function startChild(args: readonly string[], env: Record<string, string> = {}): Promise<Child> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: ROOT,
  });
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (what: string) => {
      child.kill('SIGKILL');
      reject(new Error(`${args.join(' ')} ${what}`));
    };
    const late = setTimeout(() => fail(`printed no URL within ${READY_MS} ms`), READY_MS);
    child.once('exit', (code) => fail(`exited with ${code}`));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const found = /http:\/\/[\w.:[\]]+/.exec(line);
      if (!found) return;
      clearTimeout(late);
      resolve(found[0]);
    });
  });
  return {
    process: child,
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/**
 * A host as an operator would run it (`synchronous` is FULL), but without a log line per request, which the yardsticks do not write
 * either, and with profiles of its processor time in the folder BENCH_PROFILE, if that is set.
 */
export function startHost(dataDir: string, env: Readonly<Record<string, string>> = {}): HostChild {
  const { BENCH_PROFILE } = process.env;
  return new HostChild({
    dataDir,
    key: KEY,
    env: { OPENWOP_PLUGINS__HTTP__CONFIG__ACCESS_LOG: 'off', ...env },
    nodeArgs: BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${BENCH_PROFILE}`] : [],
  });
}

/** Registers a workflow with a host of `startHost`. */
export async function register(url: string, definition: object): Promise<void> {
  const response = await fetch(`${url}/v1/workflows`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(definition),
  });
  if (!response.ok) throw new Error(`registering answered ${response.status}: ${await response.text()}`);
}

/** A folder that is removed afterwards. */
export async function withTempDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'wopr-bench-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
