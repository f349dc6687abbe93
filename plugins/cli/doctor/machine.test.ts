import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../kernel/config.ts';
import type { PluginReport } from '../../../kernel/plugin/index.ts';
import { announceHost } from '../host/running.ts';
import { examineDataDir, examineNode, examinePorts } from './machine.ts';

let dataDir: string;
let server: Server;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-machine-'));
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A plugin that listens on port `initial` unless configured otherwise. */
function listener(initial: number): PluginReport {
  const config = {
    type: 'object',
    properties: { host: { default: '127.0.0.1' }, port: { default: initial } },
  };
  const manifest = {
    manifestVersion: 1,
    name: 'web',
    version: '1.0.0',
    description: 'd',
    kernel: '*',
    config,
  } as const;
  return {
    name: 'web',
    version: '1.0.0',
    path: '',
    state: 'ready',
    requires: [],
    provides: [],
    problems: [],
    manifest,
  };
}

const configWith = (config: object) =>
  resolveConfig({ cwd: dataDir, flags: { dataDir, 'plugins.web.config': { ...config } } }).config;

describe('ports', () => {
  it('tells free, taken and our own', async () => {
    const { port } = server.address() as AddressInfo;
    expect(await examinePorts(configWith({ port }), [listener(1)])).toEqual([
      {
        name: 'port (web)',
        status: 'failed',
        detail: expect.stringContaining(`127.0.0.1:${port} is taken by another process`),
      },
    ]);
    announceHost(dataDir, { url: 'http://127.0.0.1', pid: process.pid });
    expect(await examinePorts(configWith({ port }), [listener(1)])).toMatchObject([{ status: 'ok' }]);
    server.close();
    await once(server, 'close');
    expect(await examinePorts(configWith({}), [listener(port)])).toEqual([
      { name: 'port (web)', status: 'ok', detail: `127.0.0.1:${port} is free` },
    ]);
  });

  it('leaves out plugins that do not listen or do not run', async () => {
    const { manifest: _, ...silent } = listener(1);
    expect(await examinePorts(configWith({}), [silent, { ...listener(1), state: 'disabled' }])).toEqual([]);
  });
});

it('wants a Node that is new enough', () => {
  expect(examineNode('24.0.0').status).toBe('ok');
  expect(examineNode('22.18.0').status).toBe('failed');
});

it('finds a data folder that is there, and one that can be made', () => {
  expect(examineDataDir(dataDir)).toEqual({ name: 'data folder', status: 'ok', detail: dataDir });
  expect(examineDataDir(join(dataDir, 'a', 'b')).detail).toContain('made when a host starts');
});
