/** Small pieces every command prints with. */
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { CommandContext } from '../../kernel/commands.ts';
import { columns, fit, printable } from './view/text.ts';

export type Colors = ReturnType<typeof createColors>;

export function colorsOf(context: CommandContext): Colors {
  return createColors(context.color);
}

/** One JSON document on a line of its own. */
export function printJson(context: CommandContext, value: unknown): void {
  context.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLines(context: CommandContext, lines: readonly string[]): void {
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Columns padded to the widest cell; the last one is cut to the terminal's width, never when piped. */
export function table(rows: readonly (readonly string[])[], width: number | undefined): string[] {
  const clean = rows.map((row) => row.map(printable));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((row) => columns(row[column] ?? ''))),
  );
  return clean.map((row) => {
    const line = row
      .map((text, column) => text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - columns(text))))
      .join('  ');
    return width === undefined ? line.trimEnd() : fit(line.trimEnd(), width);
  });
}

/** Adds "Examples" to a command's help. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** Collects an option that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
