/** `wopr serve`: a host in the foreground until SIGINT or SIGTERM. */
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { type CommandContext, EXIT } from '../../../kernel/commands.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { gathered } from '../gathered-output.ts';
import { announceHost } from '../host/running.ts';
import { logLines } from '../log-lines.ts';
import { colorsOf, examples, printLines } from '../print.ts';
import { servedUrl } from '../served-url.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
}

export function define(program: Command, context: CommandContext): void {
  const serve = program
    .command('serve')
    .description(
      'Starts a host and serves its HTTP API. Runs it left behind, or others lost, are taken over and go on.',
    )
    .option('--host <address>', 'address to listen on (OPENWOP_HOST)')
    .option('-p, --port <port>', 'port to listen on, 0 for a free one (OPENWOP_PORT)')
    .action((options: ServeOptions) => serveHost(options, context));
  examples(serve, [
    'wopr serve',
    'OPENWOP_API_KEY=hk_test_change-me wopr serve --port 8080 --data-dir ./data',
    'wopr serve --json | jq .msg',
  ]).addHelpText(
    'after',
    '\nOn a terminal the log is for people, elsewhere it is JSON lines. SIGINT or SIGTERM: finish what can be finished, then exit 0;\na second one exits 1 at once (runs are safe either way).',
  );
}

async function serveHost(options: ServeOptions, context: CommandContext): Promise<void> {
  const resolved = await context.resolveConfig({
    'plugins.http.config.host': options.host,
    'plugins.http.config.port': options.port,
  });
  const forPeople = context.stdout.isTTY === true && !context.json;
  const lines = gathered(context.stdout);
  process.on('exit', lines.flush);
  const logger = await context.createLogger(
    resolved.config.logLevel,
    forPeople ? logLines(context.stdout, context.color) : lines,
  );
  for (const warning of resolved.warnings) logger.warn(warning);
  const stopped = stopSignal(context, logger);
  const kernel = await context.openKernel('host', { resolved, logger });
  let withdraw = () => {};
  try {
    const url = servedUrl(kernel);
    if (url !== undefined) withdraw = announceHost(resolved.config.dataDir, { url, pid: process.pid });
    if (forPeople) printLines(context, banner(kernel, url, context));
    logger.info({ url, dataDir: resolved.config.dataDir, pid: process.pid }, 'host is ready');
    await stopped;
  } finally {
    withdraw();
    await kernel.stop();
  }
  logger.info('host has stopped');
  context.exit(EXIT.ok);
}

/** Resolves at the first signal; a second one ends the process at once. */
function stopSignal(context: CommandContext, logger: Logger): Promise<void> {
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'unexpected failure; the host ends and its runs wait for the next one');
    process.exit(EXIT.failed);
  });
  return new Promise((resolve) => {
    let signals = 0;
    context.onSignal((signal) => {
      signals++;
      if (signals > 1) process.exit(EXIT.failed);
      logger.info({ signal }, 'stopping; a second signal ends it at once');
      resolve();
    });
  });
}

function banner(kernel: Kernel, url: string | undefined, context: CommandContext): string[] {
  const colors = colorsOf(context);
  const { host } = kernel.services;
  const plugins = host.plugins.filter(({ state }) => state === 'active');
  const degraded = host.plugins.filter(({ state }) => state === 'degraded');
  const row = (name: string, value: string) => `  ${colors.dim(name.padEnd(10))} ${value}`;
  return [
    '',
    `  ${colors.bold('wopr')} ${host.version}`,
    row('api', url === undefined ? 'not served (plugin http is off)' : colors.cyan(url)),
    row('data', host.dataDir),
    row('plugins', plugins.map(({ name }) => name).join(', ')),
    ...degraded.map(({ name, reason }) =>
      row('degraded', colors.yellow(`${name}: ${reason ?? 'unknown reason'}`)),
    ),
    row('key', context.env.OPENWOP_API_KEY ? 'OPENWOP_API_KEY' : 'create one: wopr keys create'),
    row('try', `wopr run hello.json --watch${url === undefined ? '' : ` --url ${url}`}`),
    '',
  ];
}
