// What a benchmark prints: measured ratios beside their targets.

export interface Line {
  readonly name: string;
  /** Measured, in the unit of `target`. */
  readonly value: number;
  /** Smallest (`atLeast`) or largest (`atMost`) acceptable value. */
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly unit: '%' | 'x' | 'ms' | 'MB' | '';
  readonly detail: string;
}

/** Prints a line; true when it meets its target. */
export function report(line: Line): boolean {
  const ok =
    (line.atLeast === undefined || line.value >= line.atLeast) &&
    (line.atMost === undefined || line.value <= line.atMost);
  const target =
    line.atLeast !== undefined ? `>= ${line.atLeast}` : line.atMost !== undefined ? `<= ${line.atMost}` : '';
  const value = `${line.value.toFixed(line.value < 10 ? 2 : 1)}${line.unit}`;
  console.log(
    `${ok ? 'ok  ' : 'MISS'} ${line.name.padEnd(44)} ${value.padStart(9)}  ${`${target}${target ? line.unit : ''}`.padEnd(10)} ${line.detail}`,
  );
  return ok;
}
