#!/usr/bin/env node
/** The command: `wopr conformance …`, or `node test/conformance/cli.ts …` on its own. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { parseInvocation, USAGE, UsageError } from './options.ts';
import { headingLine, scenarioLines, summaryLines } from './print.ts';
import { type RunHooks, runConformance, ToolMissingError, UnreachableError } from './run.ts';
import { scenarioNames } from './scenarios.ts';

/** Returns the exit code: 0 no failure, 1 failures, 2 the host cannot be reached or the call is wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await execute(argv);
  } catch (error) {
    const known = [UsageError, UnreachableError, ToolMissingError].some((kind) => error instanceof kind);
    if (!known) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    if (error instanceof UsageError) process.stderr.write('\nSee --help.\n');
    return 2;
  }
}

async function execute(argv: readonly string[]): Promise<number> {
  const { mode, json, options } = parseInvocation(argv, process.env);
  if (mode !== 'run') {
    print(mode === 'help' ? [USAGE] : scenarioNames());
    return 0;
  }
  const colors = pc.createColors(pc.isColorSupported && process.stdout.isTTY);
  const hooks: RunHooks = {
    onStart: () => print([headingLine(options.baseUrl, colors), '']),
    onScenario: (result) => print(scenarioLines(result, colors)),
  };
  const report = await runConformance(options, json ? {} : hooks);
  print(json ? [JSON.stringify(report, null, 2)] : summaryLines(report, colors));
  return report.ok ? 0 : 1;
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

const isEntry =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isEntry) process.exitCode = await main(process.argv.slice(2));
