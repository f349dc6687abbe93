/** Times and time spans as written on a command line. */
import { usageError } from '../../kernel/commands.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `12h`, `7d` in ms; undefined for anything else. */
export function parseTimeSpan(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** A span from `now`, or an ISO date or time, in epoch ms. Errors: `usage`. */
export function parseTime(text: string, now: number): number {
  const span = parseTimeSpan(text);
  if (span !== undefined) return now + span;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw usageError(
    `"${text}" is neither a time span nor a date.`,
    'For example: 90d, 12h, 2030-01-31, 2030-01-31T12:00:00Z',
  );
}
