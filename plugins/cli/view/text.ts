/** Text that is safe and fits: no control characters from elsewhere, cut to terminal columns, durations for people. */
import { stripVTControlCharacters } from 'node:util';

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]$/u;
const segments = new Intl.Segmenter();

/** Values of a workflow or a remote host must not steer the terminal: escape sequences go, control characters become spaces. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

/** Terminal columns `text` takes; colour sequences count nothing. */
export function columns(text: string): number {
  let width = 0;
  for (const { segment } of segments.segment(stripVTControlCharacters(text))) width += columnsOf(segment);
  return width;
}

/** Cuts plain text (no colour sequences) to at most `width` columns, ending in … when something is missing. */
export function fit(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of segments.segment(text)) {
    used += columnsOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return width > 0 ? `${kept}…` : '';
}

/** `text` cut and padded to exactly `width` columns. */
export function cell(text: string, width: number): string {
  const fitted = fit(text, width);
  return fitted + ' '.repeat(Math.max(0, width - columns(fitted)));
}

/** 12 ms, 3.4 s, 2 min 05 s, 1 h 02 min. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole} ms`;
  if (whole < 59_950) return `${(whole / 1000).toFixed(1)} s`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** Bytes as 12 B, 3.4 kB, 5.6 MB, 7.8 GB. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function columnsOf(segment: string): number {
  if (WIDE.test(segment)) return 2;
  return INVISIBLE.test(segment) ? 0 : 1;
}
