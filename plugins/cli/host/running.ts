/** How a host tells the commands on the same machine where it listens: a small file in its data folder. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunningHost {
  readonly url: string;
  readonly pid: number;
}

const FILE = 'host.json';

/** Writes the note; the result removes it again, unless another host has replaced it meanwhile. */
export function announceHost(dataDir: string, host: RunningHost): () => void {
  const path = join(dataDir, FILE);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path, `${JSON.stringify(host)}\n`);
  return () => {
    if (readNote(path)?.pid === host.pid) rmSync(path, { force: true });
  };
}

/** The host that serves this data folder now, if its process is alive. A note left by a crash is ignored. */
export function runningHost(dataDir: string): RunningHost | undefined {
  const note = readNote(join(dataDir, FILE));
  return note !== undefined && isAlive(note.pid) ? note : undefined;
}

function readNote(path: string): RunningHost | undefined {
  try {
    const { url, pid } = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunningHost>;
    return typeof url === 'string' && typeof pid === 'number' ? { url, pid } : undefined;
  } catch {
    // No note, or one half written: as if no host ran.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
