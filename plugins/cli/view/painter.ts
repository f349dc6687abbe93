/** Redraws a block of lines in place, without flicker, also after the terminal was resized. */
import type { Output } from '../../../kernel/commands.ts';
import { columns } from './text.ts';

const ESC = '\u001b[';
// Synchronised output: terminals that know it show the whole frame at once, others ignore it.
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;

export class Painter {
  readonly #output: Output;
  #painted: readonly string[] = [];
  #started = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Terminal columns; 80 when unknown. One less than real, so that no line reaches the edge and wraps. */
  get width(): number {
    return Math.max(20, (this.#output.columns ?? 80) - 1);
  }

  /** Lines that may be painted so that the first one is still on the screen. */
  get height(): number {
    return Math.max(4, (this.#output.rows ?? 24) - 1);
  }

  /** Replaces the block painted before. Writes nothing when nothing changed. */
  paint(lines: readonly string[]): void {
    const same = lines.length === this.#painted.length && lines.every((line, i) => line === this.#painted[i]);
    if (same) return;
    const hideCursor = this.#started ? '' : `${ESC}?25l`;
    const body = lines.map((line) => `${line}${ESC}K\n`).join('');
    this.#output.write(`${BEGIN}${hideCursor}${this.#back()}${body}${ESC}J${END}`);
    this.#started = true;
    this.#painted = lines;
  }

  /** Prints lines that stay, above the block. */
  above(lines: readonly string[]): void {
    const block = this.#painted;
    this.#output.write(
      `${BEGIN}${this.#back()}${lines.map((line) => `${line}${ESC}K\n`).join('')}${ESC}J${END}`,
    );
    this.#painted = [];
    this.paint(block);
  }

  /** Leaves the block as it is and gives the cursor back. */
  end(): void {
    if (this.#started) this.#output.write(`${ESC}?25h`);
    this.#started = false;
    this.#painted = [];
  }

  /** Moves to the first row of the painted block. A terminal made narrower since has wrapped its lines onto more rows. */
  #back(): string {
    const width = Math.max(1, this.#output.columns ?? 80);
    const rows = this.#painted.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
    return rows === 0 ? '' : `${ESC}${rows}A\r`;
  }
}
