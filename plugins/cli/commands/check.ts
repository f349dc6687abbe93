/** `wopr check`: would a host start with this configuration and these plugins? Starts nothing. */
import type { Command } from 'commander';
import { type CommandContext, EXIT } from '../../../kernel/commands.ts';
import type { CheckReport, PluginReport } from '../../../kernel/plugin/index.ts';
import { pluginReport } from '../plugin-report.ts';
import { type Colors, colorsOf, examples, printJson, printLines, table } from '../print.ts';

export function define(program: Command, context: CommandContext): void {
  const check = program
    .command('check')
    .description(
      'Checks configuration and plugins (manifests, versions, requirements, collisions) without running any plugin code.',
    )
    .action(() => checkHost(context));
  examples(check, ['wopr check', 'wopr check --config production.json', 'wopr check --json']);
}

async function checkHost(context: CommandContext): Promise<void> {
  const resolved = await context.resolveConfig();
  const report = await pluginReport(context, resolved);
  if (context.json) {
    const plugins = report.plugins.map(({ manifest: _, ...plugin }) => plugin);
    printJson(context, {
      ok: report.ok,
      config: resolved.file ?? null,
      warnings: resolved.warnings,
      plugins,
      problems: report.problems,
    });
  } else {
    printLines(context, lines(report, resolved.warnings, resolved.file, context));
  }
  context.exit(report.ok ? EXIT.ok : EXIT.failed);
}

function lines(
  report: CheckReport,
  warnings: readonly string[],
  file: string | undefined,
  context: CommandContext,
): string[] {
  const colors = colorsOf(context);
  const ordered = [...report.plugins].sort(
    (a, b) => (a.order ?? Number.POSITIVE_INFINITY) - (b.order ?? Number.POSITIVE_INFINITY),
  );
  const rows = ordered.map((plugin) => [
    plugin.order === undefined ? '-' : String(plugin.order),
    plugin.name,
    plugin.version,
    plugin.state,
    plugin.requires.length === 0 ? '' : `after ${plugin.requires.join(', ')}`,
  ]);
  return [
    `configuration  ${file ?? 'defaults and environment (no wopr.config.json)'}`,
    ...warnings.map((warning) => colors.yellow(`warning        ${warning}`)),
    '',
    ...table(rows, context.stdout.columns),
    '',
    ...report.plugins
      .filter(({ state }) => state === 'degraded')
      .flatMap((plugin) => problemLines(plugin, colors.yellow)),
    ...report.problems.map(({ message }) => colors.red(`✗ ${message}`)),
    report.ok ? colors.green('✓ a host would start') : colors.red('✗ a host would not start'),
  ];
}

function problemLines({ problems }: PluginReport, paint: Colors['red']): string[] {
  return problems.map(({ message }) => paint(`! ${message}`));
}
