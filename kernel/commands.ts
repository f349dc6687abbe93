/** Commands of the `wopr` bin: how plugins contribute them, what they are given, and how one is found by name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { JsonValue } from '../schemas/json.ts';
import type { ResolvedConfig } from './config.ts';
import type { Kernel, KernelRole } from './kernel.ts';
import type { PluginManifest } from './plugin/types.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** A place to write text: a stream, or a buffer in tests. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** Flags every command understands; removed from the arguments before the command sees them. */
export interface GlobalFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly logLevel?: string;
  readonly json: boolean;
  readonly noColor: boolean;
}

/** What a command may use; nothing else of the process. */
export interface CommandContext {
  /** Arguments after the command's name, without global flags. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Print machine-readable output only. */
  readonly json: boolean;
  readonly color: boolean;
  readonly logLevel: string | undefined;
  /** Folder of the plugins that ship with wopr. */
  readonly builtInPlugins: string;
  /** Every known command, for commands that list or mount others. */
  readonly commands: readonly FoundCommand[];
  /** Defaults, file, environment, global flags, then `overrides` by dotted key. Errors: `config_invalid`. */
  resolveConfig(overrides?: Readonly<Record<string, JsonValue | undefined>>): Promise<ResolvedConfig>;
  /** JSON lines on `destination` (default stderr), at the level of the flag or else `level`. */
  createLogger(level: string, destination?: Output): Promise<Logger>;
  /**
   * A started kernel; the caller stops it. Logs at `warn` to stderr unless a logger is given. Errors: `config_invalid`, `plugin_*`,
   * `store_newer`.
   */
  openKernel(
    role: KernelRole,
    options?: { readonly resolved?: ResolvedConfig; readonly logger?: Logger },
  ): Promise<Kernel>;
  /** Calls back on SIGINT and SIGTERM, which then no longer end the process by themselves, until the result is called. */
  onSignal(listener: (signal: string) => void): () => void;
  /** Sets the exit code; the process ends when nothing is left to do. */
  exit(code: number): void;
}

/** The module named by a manifest's `contributes.commands[].module`. */
export interface CommandModule {
  /** Adds the command to `program`. Must be cheap: import what the action needs inside the action. */
  define(program: Command, context: CommandContext): void;
}

/** A command as declared in a plugin's manifest. */
export interface FoundCommand {
  readonly name: string;
  readonly summary: string;
  readonly group: string | undefined;
  readonly plugin: string;
  /** `file:` URL of the module. */
  readonly module: string;
}

/** Ends a command with a message for people, a code for machines, and an exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    exitCode: number,
    code: string,
    message: string,
    options: {
      readonly hint?: string;
      readonly details?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** A mistake in how the command was called: exit code 2. */
export function usageError(message: string, hint?: string): CommandFailure {
  return new CommandFailure(EXIT.usage, 'usage', message, hint === undefined ? {} : { hint });
}

/**
 * Commands of every plugin folder directly below `root`, without importing anything. Only what is needed to find a command is read:
 * a manifest with mistakes is reported by `wopr check`, here it contributes nothing.
 */
export function commandsIn(root: string): FoundCommand[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => commandsOf(join(root, name), legibleManifest(join(root, name, 'plugin.json'))));
}

/** The commands that a manifest found in `folder` declares. */
export function commandsOf(
  folder: string,
  manifest: Pick<PluginManifest, 'name' | 'contributes'> | undefined,
): FoundCommand[] {
  return (manifest?.contributes?.commands ?? []).map(({ name, summary, group, module }) => ({
    name,
    summary,
    group,
    plugin: manifest?.name ?? folder,
    module: pathToFileURL(join(folder, module)).href,
  }));
}

/** The command that the first words of a command line name; the longest one if several do. */
export function findCommand(
  words: readonly string[],
  commands: readonly FoundCommand[],
): FoundCommand | undefined {
  const fits = ({ name }: FoundCommand) => name.split(' ').every((word, i) => words[i] === word);
  return commands.filter(fits).sort((a, b) => b.name.length - a.name.length)[0];
}

function legibleManifest(path: string): PluginManifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as PluginManifest;
    const commands = (manifest.contributes?.commands ?? []).filter(({ name, summary, module }) =>
      [name, summary, module].every(isText),
    );
    return { ...manifest, contributes: { commands } };
  } catch {
    // Absent or broken: not a source of commands. `wopr check` names the mistake.
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
