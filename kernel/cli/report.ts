/** How a command's failure reaches its user: one line and a hint for people, the error envelope for machines. */
import { CommandFailure, EXIT, type Output } from '../commands.ts';
import { ERROR_CATALOGUE, type ErrorEntry, WoprError } from '../errors.ts';

interface Report {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

export interface ReportOptions {
  readonly json: boolean;
  /** Adds the stack trace: only with `--log-level debug` or `trace`. */
  readonly stack: boolean;
}

/** Prints `error` on `stderr` and returns the exit code: 2 for wrong usage or configuration, 3 for an unreachable host, else 1. */
export function reportError(error: unknown, stderr: Output, options: ReportOptions): number {
  const report = describe(error);
  if (options.json) {
    const details = report.details === undefined ? {} : { details: report.details };
    stderr.write(`${JSON.stringify({ error: report.code, message: report.message, ...details })}\n`);
  } else {
    stderr.write(humanLines(report).join('\n').concat('\n'));
  }
  if (options.stack && error instanceof Error) stderr.write(`${error.stack ?? error.message}\n`);
  return report.exitCode;
}

function describe(error: unknown): Report {
  if (error instanceof CommandFailure) {
    const { exitCode, code, message, details } = error;
    return { exitCode, code, message, details, hint: error.hint ?? catalogueEntry(code)?.hint };
  }
  if (error instanceof WoprError) {
    const exitCode = error.code === 'config_invalid' ? EXIT.usage : EXIT.failed;
    return {
      exitCode,
      code: error.code,
      message: error.message,
      details: error.details,
      hint: error.entry.hint,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    exitCode: EXIT.failed,
    code: 'internal_error',
    message: `Unexpected: ${message}`,
    details: undefined,
    hint: 'Run it again with --log-level debug to see where; please report it.',
  };
}

function humanLines({ code, message, hint, details }: Report): string[] {
  const lines = [`wopr: ${message}`];
  const listed = findings(details);
  lines.push(...listed.map((finding) => `  ${finding}`));
  // The catalogue's hint to look into details is of no use to someone who sees them.
  if (hint !== undefined && listed.length === 0) lines.push(`  hint: ${hint}`);
  if (catalogueEntry(code) !== undefined) lines.push(`  more: docs/errors.md, ${code}`);
  return lines;
}

/** `details.errors` of a validation error, one line each: where, and what is wrong there. */
function findings(details: Readonly<Record<string, unknown>> | undefined): string[] {
  const errors = details?.errors;
  if (!Array.isArray(errors)) return [];
  return errors.map((error: unknown) => {
    const { path, message } = (error ?? {}) as { path?: unknown; message?: unknown };
    return typeof message === 'string'
      ? `${typeof path === 'string' && path !== '' ? path : '/'}: ${message}`
      : JSON.stringify(error);
  });
}

function catalogueEntry(code: string): ErrorEntry | undefined {
  return Object.hasOwn(ERROR_CATALOGUE, code)
    ? ERROR_CATALOGUE[code as keyof typeof ERROR_CATALOGUE]
    : undefined;
}
