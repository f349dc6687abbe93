// A real nats-server for tests and benchmarks: own port, own store, stopped and restarted at will.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Services of Debian live in sbin, which users often lack in their PATH. */
const PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

export class TestNatsServer {
  readonly #dir = mkdtempSync(join(tmpdir(), 'wopr-nats-'));
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  #port = -1;

  /** `args`: more options of nats-server. */
  constructor(args: readonly string[] = []) {
    this.#args = args;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it accepts connections; on the port and with the store of its last run, if any. */
  async start(): Promise<void> {
    const server = spawn(
      'nats-server',
      ['--addr', '127.0.0.1', '--port', String(this.#port), '-js', '-sd', this.#dir, ...this.#args],
      { env: { ...process.env, PATH }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#process = server;
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ENOENT' ? new Error('nats-server is missing; run test/setup-services.sh') : error,
        ),
      );
      server.once('exit', () => reject(new Error(`nats-server ended:\n${lines.join('\n')}`)));
      createInterface({ input: server.stderr }).on('line', (line) => {
        lines.push(line);
        const port = /client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port !== undefined) this.#port = Number(port);
        if (line.includes('Server is ready')) resolve();
      });
    });
  }

  /** Ends the process and keeps port and store. SIGKILL is a crash. */
  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  /** Forgets what was stored, as if the disk had been replaced. Only while it is down. */
  wipe(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL');
    this.wipe();
  }
}

export async function startNatsServer(args: readonly string[] = []): Promise<TestNatsServer> {
  const server = new TestNatsServer(args);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
