/** The report as lines for a terminal. */
import type pc from 'picocolors';
import type { CheckResult, Report, ScenarioResult, Verdict } from './report.ts';

export type Colors = ReturnType<typeof pc.createColors>;

const MARKS: Record<Verdict, string> = { passed: '✓', failed: '✗', warning: '!', 'not claimed': '·' };
const NAME_WIDTH = 26;

function paint(colors: Colors, verdict: Verdict): (text: string) => string {
  if (verdict === 'passed') return colors.green;
  if (verdict === 'failed') return colors.red;
  return verdict === 'warning' ? colors.yellow : colors.dim;
}

/** One line for the scenario, and below it what did not pass, with the requirement it concerns. */
export function scenarioLines(result: ScenarioResult, colors: Colors): string[] {
  const { scenario, verdict, checks, error } = result;
  const count = (wanted: Verdict) => checks.filter((check) => check.verdict === wanted).length;
  const seconds = checks.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const parts = (['passed', 'failed', 'warning', 'not claimed'] as const).flatMap((wanted) =>
    count(wanted) === 0 ? [] : paint(colors, wanted)(`${count(wanted)} ${wanted}`),
  );
  const color = paint(colors, verdict);
  const time = colors.dim(`${seconds.toFixed(1)} s`);
  return [
    `${color(MARKS[verdict])} ${scenario.padEnd(NAME_WIDTH)} ${parts.join(', ')}  ${time}`,
    ...(error === undefined ? [] : indent(error, 4).map(colors.red)),
    ...unclaimedLines(checks, colors),
    ...checks
      .filter((check) => check.verdict === 'failed' || check.verdict === 'warning')
      .flatMap((check) => troubleLines(check, colors)),
  ];
}

/** Checks that were not claimed, grouped by their reason: it is usually one for the whole scenario. */
function unclaimedLines(checks: readonly CheckResult[], colors: Colors): string[] {
  const byReason = Map.groupBy(
    checks.filter(({ verdict }) => verdict === 'not claimed'),
    ({ reason }) => reason ?? '',
  );
  return [...byReason].flatMap(([reason, group]) => {
    const ids = [...new Set(group.map(({ requirement }) => requirement))].join(', ');
    return [colors.dim(`    · not claimed: ${reason}`), colors.dim(`      ${ids}`)];
  });
}

function troubleLines({ verdict, requirement, what, reason }: CheckResult, colors: Colors): string[] {
  const color = paint(colors, verdict);
  return [
    `    ${color(MARKS[verdict])} ${color(requirement)}  ${what}`,
    ...indent(reason ?? '', 6).map(colors.dim),
  ];
}

/** The requirements that are not met, and the totals. */
export function summaryLines(report: Report, colors: Colors): string[] {
  const { summary, requirements, durationMs } = report;
  const unmet = requirements.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning');
  const totals = [
    colors.green(`${summary.proven} requirements proven`),
    (summary.failed > 0 ? colors.red : colors.dim)(`${summary.failed} failed`),
    colors.dim(`${summary.notClaimed} not claimed`),
    (summary.warnings > 0 ? colors.yellow : colors.dim)(`${summary.warnings} warnings`),
  ];
  return [
    '',
    ...unmet.map(({ verdict, id, level, text, source }) => {
      return `${paint(colors, verdict)(`${MARKS[verdict]} ${level} ${id}`)}  ${text} ${colors.dim(`[${source}]`)}`;
    }),
    ...(unmet.length === 0 ? [] : ['']),
    `${totals.join(', ')}  ${colors.dim(`${(durationMs / 1000).toFixed(1)} s`)}`,
  ];
}

export function headingLine(baseUrl: string, colors: Colors): string {
  return `${colors.bold('OpenWOP 1.0 conformance')} of ${baseUrl}`;
}

function indent(text: string, width: number): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => ' '.repeat(width) + line);
}
