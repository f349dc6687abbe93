/** Builds what a command is given: configuration, logger and kernel are made on demand, so that a command pays only for what it uses. */
import type { Logger } from 'pino';
import type { JsonValue } from '../../schemas/json.ts';
import type { CommandContext, FoundCommand, GlobalFlags, Output } from '../commands.ts';
import type { CliEnvironment } from './cli.ts';

export interface ContextOptions extends CliEnvironment {
  readonly flags: GlobalFlags;
  readonly argv: readonly string[];
  readonly commands: readonly FoundCommand[];
  readonly builtInPlugins: string;
  exit(code: number): void;
}

export function commandContext(options: ContextOptions): CommandContext {
  const { env, cwd, stdout, stderr, flags, argv, commands, builtInPlugins } = options;

  const resolveConfig = async (overrides: Readonly<Record<string, JsonValue | undefined>> = {}) => {
    const { resolveConfig: resolve } = await import('../config.ts');
    return resolve({
      cwd,
      env,
      flags: { dataDir: flags.dataDir, logLevel: flags.logLevel, ...overrides },
      ...(flags.config === undefined ? {} : { file: flags.config }),
    });
  };

  const createLogger = async (level: string, destination: Output = stderr): Promise<Logger> => {
    const { pino } = await import('pino');
    return pino(
      { level: flags.logLevel ?? level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
      { write: (line) => void destination.write(line) },
    );
  };

  return {
    argv,
    env,
    cwd,
    stdout,
    stderr,
    json: flags.json,
    color: useColor(flags, env, stdout),
    logLevel: flags.logLevel,
    builtInPlugins,
    commands,
    resolveConfig,
    createLogger,
    async openKernel(role, given = {}) {
      const resolved = given.resolved ?? (await resolveConfig());
      const logger = given.logger ?? (await createLogger('warn'));
      const { createKernel } = await import('../kernel.ts');
      const kernel = await createKernel({ resolved, logger, builtInPlugins, role });
      await kernel.start();
      return kernel;
    },
    onSignal: options.onSignal,
    exit: options.exit,
  };
}

/** NO_COLOR and FORCE_COLOR as their conventions say: set and not empty. */
function useColor(
  flags: GlobalFlags,
  env: Readonly<Record<string, string | undefined>>,
  stdout: Output,
): boolean {
  if (flags.json || flags.noColor || env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stdout.isTTY === true && env.TERM !== 'dumb';
}
