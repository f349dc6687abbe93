/** A host started by the suite itself, on a free port, and killed without warning. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from './client.ts';

const READY_MS = 10_000;
/** Of what the host prints, this much is kept for the error message. */
const KEPT_OUTPUT = 4000;

export interface HostProcess {
  readonly client: HttpClient;
  /** SIGKILL for the command and everything it started. Resolves when it is gone; harmless when it already is. */
  kill(): Promise<void>;
}

/** Runs a shell command and waits until discovery answers. Throws with the output of the host when it does not. */
export async function startHost(
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<HostProcess> {
  const port = await freePort();
  // Its own process group, so that killing it reaches the host behind shells and runners such as npx.
  const child = spawn(command, {
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, OPENWOP_HOST: '127.0.0.1', OPENWOP_PORT: String(port) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
  }
  const exited = once(child, 'close');
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  let killed = false;
  const kill = async () => {
    // Only once: afterwards the id may belong to someone else.
    if (!killed && child.pid !== undefined) killGroup(child.pid);
    killed = true;
    await exited;
  };
  const client = new HttpClient(`http://127.0.0.1:${port}`, env.OPENWOP_API_KEY ?? '');
  const deadline = performance.now() + READY_MS;
  while (!gone() && performance.now() < deadline) {
    if (await answers(client)) return { client, kill };
    await sleep(50);
  }
  await kill();
  throw new Error(
    `"${command}" did not serve discovery within ${READY_MS} ms. Its output ends with:\n${output}`,
  );
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // No such process: it has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function answers(client: HttpClient): Promise<boolean> {
  try {
    return (await client.get('/.well-known/openwop', { key: null, timeoutMs: 1000 })).status === 200;
  } catch {
    // Not listening yet.
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}
