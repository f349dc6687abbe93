/** One invocation of the bin: global flags, help, finding the command, running it, reporting what went wrong. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearest } from '../../schemas/nearest.ts';
import {
  type CommandContext,
  type CommandModule,
  commandsIn,
  commandsOf,
  EXIT,
  type FoundCommand,
  findCommand,
  type GlobalFlags,
  type Output,
  usageError,
} from '../commands.ts';
import { commandContext } from './context.ts';
import { splitGlobalFlags } from './flags.ts';
import { reportError } from './report.ts';
import { usage } from './usage.ts';

/** What the bin lends to an invocation; tests lend buffers. */
export interface CliEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly version: string;
  onSignal(listener: (signal: string) => void): () => void;
}

/** Runs one command line to its end and returns the exit code (0 done, 1 failed, 2 usage, 3 host unreachable). Never throws. */
export async function runCli(argv: readonly string[], io: CliEnvironment): Promise<number> {
  let flags: GlobalFlags = { json: argv.includes('--json'), noColor: false };
  try {
    const split = splitGlobalFlags(argv);
    flags = split.flags;
    return await dispatch(flags, split.rest, io);
  } catch (error) {
    return reportError(error, io.stderr, {
      json: flags.json,
      stack: flags.logLevel === 'debug' || flags.logLevel === 'trace',
    });
  }
}

async function dispatch(flags: GlobalFlags, rest: readonly string[], io: CliEnvironment): Promise<number> {
  const [name, ...args] = rest;
  if (name === '--version' || name === '-V' || name === 'version') {
    io.stdout.write(flags.json ? `${JSON.stringify({ version: io.version })}\n` : `${io.version}\n`);
    return EXIT.ok;
  }
  const commands = await knownCommands(flags, io);
  const words = name === 'help' ? args : rest;
  const [asked] = words;
  if (asked === undefined || asked === '--help' || asked === '-h') {
    io.stdout.write(usage(io.version, commands));
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = findCommand(words, commands);
  if (command === undefined) throw unknownCommand(asked, commands);
  return run(command, name === 'help' ? [...words, '--help'] : words, commands, flags, io);
}

async function run(
  command: FoundCommand,
  words: readonly string[],
  commands: readonly FoundCommand[],
  flags: GlobalFlags,
  io: CliEnvironment,
): Promise<number> {
  const { Command, CommanderError } = await import('commander');
  let code: number = EXIT.ok;
  const context: CommandContext = commandContext({
    ...io,
    flags,
    argv: words.slice(command.name.split(' ').length),
    commands,
    builtInPlugins: BUILT_IN,
    exit(wanted) {
      code = wanted;
    },
  });
  const program = new Command('wopr')
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Usage mistakes are reported once, by reportError, in the form the flags ask for.
      writeErr: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
    });
  const module = (await import(command.module)) as CommandModule;
  module.define(program, context);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    throw usageError(
      error.code === 'commander.help' ? `${command.name} needs a subcommand.` : sentence(error.message),
      `wopr ${command.name} --help shows the arguments and examples.`,
    );
  }
  return code;
}

const BUILT_IN = fileURLToPath(new URL('../../plugins/', import.meta.url));

async function knownCommands(flags: GlobalFlags, io: CliEnvironment): Promise<FoundCommand[]> {
  const builtIn = commandsIn(BUILT_IN);
  const configured = pluginPaths(flags, io);
  if (configured.paths.length === 0) return builtIn;
  const { discoverPlugins } = await import('../plugin/discover.ts');
  const names = new Set(builtIn.map(({ name }) => name));
  const added = discoverPlugins(configured)
    .manifests.flatMap(({ folder, manifest }) => commandsOf(folder, manifest))
    .filter(({ name }) => !names.has(name));
  return [...builtIn, ...added];
}

/**
 * `pluginPaths` of the configuration file, read without the configuration's own checks: a help page must be quick, and must appear
 * even when the file is broken (the command that is then run reports the mistake).
 */
function pluginPaths(
  flags: GlobalFlags,
  io: CliEnvironment,
): { readonly paths: readonly string[]; readonly baseDir: string } {
  const file = resolve(io.cwd, flags.config ?? (io.env.OPENWOP_CONFIG || 'wopr.config.json'));
  const baseDir = dirname(file);
  try {
    const { pluginPaths: paths } = JSON.parse(readFileSync(file, 'utf8')) as { pluginPaths?: unknown };
    const entries = Array.isArray(paths)
      ? paths.filter((entry): entry is string => typeof entry === 'string')
      : [];
    return {
      paths: entries.map((entry) => (entry.startsWith('.') ? resolve(baseDir, entry) : entry)),
      baseDir,
    };
  } catch {
    return { paths: [], baseDir };
  }
}

function unknownCommand(name: string, commands: readonly FoundCommand[]): Error {
  if (name.startsWith('-'))
    return usageError(`Unknown flag "${name}".`, 'wopr --help lists the flags and commands.');
  const closest = nearest(
    name,
    commands.map((command) => command.name),
  );
  return usageError(
    `Unknown command "${name}".`,
    `${closest === null ? '' : `The nearest one is "wopr ${closest}"; `}wopr --help lists them all.`,
  );
}

/** Commander writes "error: missing …" and puts its suggestion on a second line. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\n/g, ' ');
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?)]$/.test(capital) ? capital : `${capital}.`;
}
