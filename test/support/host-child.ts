// `wopr serve` as a child process on a given data folder, made to be killed, frozen and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../kernel/main.ts', import.meta.url));
const READY_MS = 20_000;

export interface HostChildOptions {
  readonly dataDir: string;
  readonly key: string;
  /** More settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for Node itself. */
  readonly nodeArgs?: readonly string[];
}

export class HostChild {
  /** What it logged, as parsed lines; lines that are no JSON as `{ text }`. */
  readonly logged: Record<string, unknown>[] = [];
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #url: Promise<string>;

  constructor({ dataDir, key, env = {}, nodeArgs = [] }: HostChildOptions) {
    const child = spawn(
      process.execPath,
      [...nodeArgs, MAIN, 'serve', '--json', '--port', '0', '--data-dir', dataDir],
      {
        cwd: dataDir,
        env: {
          ...ownEnvironment(),
          OPENWOP_API_KEY: key,
          OPENWOP_PLUGINS__OPS__CONFIG__PORT: '0',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    this.#url = new Promise((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        const entry = parsed(line);
        this.logged.push(entry);
        if (entry.msg === 'host is ready') resolve(String(entry.url));
      });
      createInterface(child.stderr).on('line', (line) => this.logged.push(parsed(line)));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Base URL, once it is ready; undefined when it ended before. Rejects when it takes too long. */
  async url(): Promise<string | undefined> {
    const timeout = new AbortController();
    const late = sleep(READY_MS, 'late' as const, { signal: timeout.signal });
    late.catch(() => {});
    const first = await Promise.race([this.#url, this.ended.then(() => undefined), late]);
    timeout.abort();
    if (first === 'late') {
      await this.kill();
      throw new Error(`The host was not ready within ${READY_MS} ms:\n${this.tail()}`);
    }
    return first;
  }

  /** As `url`, for a host nobody kills meanwhile. */
  async ready(): Promise<string> {
    const url = await this.url();
    if (url === undefined) throw new Error(`The host ended before it was ready:\n${this.tail()}`);
    return url;
  }

  send(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** Ends the process as power loss would: it cannot save, close or say anything. */
  async kill(): Promise<void> {
    this.send('SIGKILL');
    await this.ended;
  }

  /** Ends it politely; throws unless it exits with 0. */
  async stop(): Promise<void> {
    this.send('SIGTERM');
    const { code, signal } = await this.ended;
    if (code !== 0) throw new Error(`The host ended with ${code ?? signal}:\n${this.tail()}`);
  }

  /** Memory of its process that is in RAM, as it reports itself on its ops port. */
  async residentMegabytes(): Promise<number> {
    const address = this.logged.find(({ msg }) => msg === 'ops port open')?.address;
    const metrics = await (await fetch(`${address}/metrics`)).text();
    const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
    if (bytes === undefined) throw new Error(`No metric of its memory in:\n${metrics}`);
    return Number(bytes) / 2 ** 20;
  }

  /** The end of its log, for messages. */
  tail(lines = 15): string {
    return this.logged
      .slice(-lines)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

/** Without settings of other hosts. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENWOP_')));
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
}
