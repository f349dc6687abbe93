/** The machine: Node, the data folder, the disk it is on, the ports a host would open. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import type { Config } from '../../../kernel/config.ts';
import type { PluginReport } from '../../../kernel/plugin/index.ts';
import type { JsonObject } from '../../../schemas/json.ts';
import { runningHost } from '../host/running.ts';
import { bytes } from '../view/text.ts';
import { type Examination, failed, ok, warning } from './examination.ts';

const NODE_MAJOR = 24;
const SCARCE_BYTES = 1_000_000_000;
const EXHAUSTED_BYTES = 50_000_000;
const CONNECT_TIMEOUT_MS = 1_000;

export function examineNode(version: string): Examination {
  const fits = Number.parseInt(version, 10) >= NODE_MAJOR;
  return fits ? ok('node', version) : failed('node', `${version}; wopr needs ${NODE_MAJOR} or newer`);
}

/** Whether the data folder, or the place where it would be made, can be written. Writes nothing. */
export function examineDataDir(dataDir: string): Examination {
  const place = nearestExisting(dataDir);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return failed('data folder', `${place} is not writable for this user`);
  }
  return ok('data folder', place === dataDir ? dataDir : `${dataDir}, made when a host starts`);
}

export function examineDisk(dataDir: string): Examination {
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir));
  const free = bavail * bsize;
  const detail = `${bytes(free)} free`;
  if (free < EXHAUSTED_BYTES) return failed('disk', `${detail}; the log can hardly grow`);
  return free < SCARCE_BYTES ? warning('disk', `${detail}; make room soon`) : ok('disk', detail);
}

/** For every enabled plugin that listens (has `port` in its config): is the port free, or held by the host of this data folder? */
export async function examinePorts(config: Config, plugins: readonly PluginReport[]): Promise<Examination[]> {
  const running = runningHost(config.dataDir);
  const listeners = plugins.filter(({ state, manifest }) => state === 'ready' && hasPort(manifest?.config));
  return Promise.all(
    listeners.map(async ({ name, manifest }) => {
      const value = (key: string) => config.plugins[name]?.config?.[key] ?? defaultOf(manifest?.config, key);
      const host = String(value('host') ?? '127.0.0.1');
      const port = Number(value('port'));
      const place = `${host}:${port}`;
      if (port === 0) return ok(`port (${name})`, 'any free one');
      if (!(await isTaken(host, port))) return ok(`port (${name})`, `${place} is free`);
      if (running !== undefined)
        return ok(
          `port (${name})`,
          `${place}, in use while the host of this data folder runs (process ${running.pid})`,
        );
      return failed(
        `port (${name})`,
        `${place} is taken by another process; choose another one in plugins.${name}.config.port`,
      );
    }),
  );
}

function hasPort(schema: JsonObject | undefined): boolean {
  return defaultOf(schema, 'port') !== undefined;
}

function defaultOf(schema: JsonObject | undefined, key: string): unknown {
  const properties = schema?.properties as
    | Readonly<Record<string, { readonly default?: unknown }>>
    | undefined;
  return properties?.[key]?.default;
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // A server on "all addresses" is asked through the loopback one.
    const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const socket = createConnection({ host: target, port, timeout: CONNECT_TIMEOUT_MS });
    const answer = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket
      .once('connect', () => answer(true))
      .once('timeout', () => answer(false))
      .once('error', () => answer(false));
  });
}

function nearestExisting(path: string): string {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}
