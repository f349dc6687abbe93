/** Finds the host a command talks to: one named by URL, the one running on the data folder, or one started in this process. */
import type { Command } from 'commander';
import type { CommandContext } from '../../../kernel/commands.ts';
import type { HostClient } from './client.ts';
import { runningHost } from './running.ts';

/** Options of every command that talks to a host. */
export interface HostOptions {
  readonly url?: string;
  readonly apiKey?: string;
}

export function hostOptions(command: Command): Command {
  return command
    .option(
      '--url <base>',
      'host to talk to (default: OPENWOP_BASE_URL, else the host on the data folder, else none needed)',
    )
    .option('--api-key <key>', 'its API key (better: OPENWOP_API_KEY, which other users cannot see)');
}

/** Tenant of runs made without a key. The same one that keys belong to unless told otherwise. */
const LOCAL_TENANT = 'default';

/**
 * `execute` needs a host that runs workflows, `read` only one that knows them. A host on the same data folder is used over HTTP when
 * there is a key for it; without one the data folder is opened directly, which is safe next to it (claims).
 */
export async function connect(
  context: CommandContext,
  options: HostOptions,
  need: 'execute' | 'read',
): Promise<HostClient> {
  const key = options.apiKey ?? (context.env.OPENWOP_API_KEY || undefined);
  const url = options.url ?? (context.env.OPENWOP_BASE_URL || undefined);
  if (url !== undefined) return overHttp(url, key);
  const resolved = await context.resolveConfig();
  const { dataDir } = resolved.config;
  const running = runningHost(dataDir);
  if (running !== undefined && key !== undefined) return overHttp(running.url, key);
  const { EmbeddedHost } = await import('./embedded.ts');
  const kernel = await context.openKernel(need === 'execute' ? 'embedded' : 'tool', { resolved });
  return new EmbeddedHost(kernel, dataDir, LOCAL_TENANT);
}

async function overHttp(url: string, key: string | undefined): Promise<HostClient> {
  const { HttpHost } = await import('./http.ts');
  return new HttpHost(url, key);
}

/** Runs `use` with the host and closes it afterwards, whatever happened. */
export async function withHost<T>(
  context: CommandContext,
  options: HostOptions,
  need: 'execute' | 'read',
  use: (host: HostClient) => Promise<T>,
): Promise<T> {
  const host = await connect(context, options, need);
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}
