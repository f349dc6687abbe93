/** Turns the host's structured log into single lines for a terminal. */
import { createColors } from 'picocolors';
import type { Output } from '../../kernel/commands.ts';
import { printable } from './view/text.ts';

type Paint = (text: string) => string;

/** Fields shown in a place of their own, or of no interest to someone at a terminal. */
const PLACED = new Set(['level', 'time', 'msg', 'plugin', 'pid', 'hostname', 'err']);

/** An output for pino: JSON lines in, `12:34:56.789 warn  plugin: message  key=value` out. */
export function logLines(output: Output, color: boolean): Output {
  const colors = createColors(color);
  const levels: Readonly<Record<number, [name: string, paint: Paint]>> = {
    10: ['trace', colors.dim],
    20: ['debug', colors.dim],
    30: ['info', colors.green],
    40: ['warn', colors.yellow],
    50: ['error', colors.red],
    60: ['fatal', colors.red],
  };
  return {
    write(line) {
      output.write(`${format(line, levels, colors.dim)}\n`);
    },
  };
}

function format(line: string, levels: Readonly<Record<number, [string, Paint]>>, dim: Paint): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return printable(line);
  }
  const [name, paint] = levels[entry.level as number] ?? ['log', dim];
  const time = String(entry.time).replace(/^.*T|Z$/g, '');
  const plugin = typeof entry.plugin === 'string' ? `${entry.plugin}: ` : '';
  const fields = Object.entries(entry)
    .filter(([key]) => !PLACED.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const { message } = (entry.err ?? {}) as { message?: string };
  const text = [`${plugin}${entry.msg ?? ''}`, ...(message === undefined ? [] : [message])].join(': ');
  return `${dim(time)} ${paint(name.padEnd(5))} ${printable(text)}${fields.length === 0 ? '' : `  ${dim(printable(fields.join(' ')))}`}`;
}
