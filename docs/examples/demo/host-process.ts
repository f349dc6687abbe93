/** A real host as a child process, with its own data folder; made to be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../kernel/main.ts', import.meta.url));
const PLUGIN = fileURLToPath(new URL('./plugin', import.meta.url));
const READY_TIMEOUT_MS = 20_000;

/** Claims that expire quickly: the second host takes over after about a second instead of ten. */
const CLAIMS = { ttlMs: 1_200, heartbeatIntervalMs: 300 };

export class HostProcess {
  readonly key = `hk_test_${randomBytes(24).toString('hex')}`;
  readonly url: string;
  readonly logFile: string;
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.logFile = join(folder, 'host.log');
  }

  /** Writes the configuration into `folder` and picks a free port; starts nothing yet. */
  static async prepare(folder: string): Promise<HostProcess> {
    mkdirSync(folder, { recursive: true });
    const config = {
      dataDir: 'data',
      claims: CLAIMS,
      pluginPaths: [PLUGIN],
      plugins: { ops: { enabled: false } },
    };
    writeFileSync(join(folder, 'wopr.config.json'), `${JSON.stringify(config, null, 2)}\n`);
    return new HostProcess(folder, await freePort());
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the host says it is ready. Rejects with the end of its log when it ends before. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [MAIN, 'serve', '--json', '--host', '127.0.0.1', '--port', String(this.#port)],
      {
        cwd: this.#folder,
        env: { ...ownEnvironment(), OPENWOP_API_KEY: this.key },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    const said: string[] = [];
    const note = (line: string) => {
      said.push(line);
      appendFileSync(this.logFile, `${line}\n`);
    };
    const ready = new Promise<void>((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        note(line);
        if (line.includes('"host is ready"')) resolve();
      });
      createInterface(child.stderr).on('line', note);
    });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`The host ended with code ${code} before it was ready:\n${said.slice(-10).join('\n')}`);
    });
    const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
    const late = once(timeout, 'abort').then(() => {
      throw new Error(`The host was not ready within ${READY_TIMEOUT_MS} ms; its log is ${this.logFile}.`);
    });
    // The two that lose the race are of no interest any more.
    ended.catch(() => {});
    late.catch(() => {});
    await Promise.race([ready, ended, late]);
  }

  /** Ends the process as power loss would (SIGKILL): it cannot save, close or say anything. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Ends it politely. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}

/** Without settings of other hosts. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENWOP_')));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.');
  return address.port;
}
