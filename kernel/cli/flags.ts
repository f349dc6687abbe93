/** Flags that every command understands, wherever they stand on the command line. */
import { type GlobalFlags, usageError } from '../commands.ts';

const VALUES = { '--config': 'config', '--data-dir': 'dataDir', '--log-level': 'logLevel' } as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export const GLOBAL_FLAGS: readonly (readonly [flag: string, meaning: string])[] = [
  ['--config <file>', 'configuration file (default: wopr.config.json, if present)'],
  ['--data-dir <dir>', 'where runs and workflows are stored'],
  ['--json', 'machine-readable output only; errors as JSON on stderr'],
  ['--no-color', 'no colours (also: NO_COLOR)'],
  ['--log-level <level>', LEVELS.join(', ')],
];

/**
 * Takes the global flags out of `argv` and returns them with what is left. Everything after `--` is left alone.
 * Errors: `usage` for a missing value or an unknown log level.
 */
export function splitGlobalFlags(argv: readonly string[]): {
  readonly flags: GlobalFlags;
  readonly rest: readonly string[];
} {
  const flags: { -readonly [K in keyof GlobalFlags]: GlobalFlags[K] } = { json: false, noColor: false };
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '--') {
      rest.push(...argv.slice(i));
      break;
    }
    const [name, inline] = splitOnce(argument);
    if (argument === '--json') flags.json = true;
    else if (argument === '--no-color') flags.noColor = true;
    else if (isValueFlag(name)) {
      const value = inline ?? argv[++i];
      if (value === undefined || value === '') throw usageError(`${name} needs a value.`);
      flags[VALUES[name]] = value;
    } else rest.push(argument);
  }
  if (flags.logLevel !== undefined && !LEVELS.includes(flags.logLevel)) {
    throw usageError(`Unknown log level "${flags.logLevel}".`, `Use one of: ${LEVELS.join(', ')}.`);
  }
  return { flags, rest };
}

function splitOnce(argument: string): [name: string, value: string | undefined] {
  const at = argument.startsWith('--') ? argument.indexOf('=') : -1;
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function isValueFlag(name: string): name is keyof typeof VALUES {
  return Object.hasOwn(VALUES, name);
}
