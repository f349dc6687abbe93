/** `wopr config`: the configuration as a host would see it, and its schema. */
import type { Command } from 'commander';
import type { CommandContext } from '../../../kernel/commands.ts';
import type { JsonObject } from '../../../schemas/json.ts';
import { pluginReport } from '../plugin-report.ts';
import { examples, printJson, printLines, table } from '../print.ts';

export function define(program: Command, context: CommandContext): void {
  const config = program.command('config').description('Shows the configuration and its schema.');
  examples(config, ['wopr config show', 'wopr config schema > wopr.schema.json']);

  const show = config
    .command('show')
    .description('Shows every value and where it comes from. Secrets are not shown.')
    .action(() => showConfig(context));
  examples(show, ['wopr config show', 'OPENWOP_PORT=8080 wopr config show --json']);

  const schema = config
    .command('schema')
    .description('Prints the JSON Schema of wopr.config.json, for editors ("$schema").')
    .action(() => printSchema(context));
  examples(schema, ['wopr config schema > wopr.schema.json']);
}

async function showConfig(context: CommandContext): Promise<void> {
  const resolved = await context.resolveConfig();
  const [{ redactConfig }, { sourceOf }, report] = await Promise.all([
    import('../../../kernel/config.ts'),
    import('../../../kernel/config/settings.ts'),
    pluginReport(context, resolved),
  ]);
  const shown = redactConfig(
    resolved.config,
    report.plugins.flatMap(({ manifest }) => manifest ?? []),
  );
  const rows = leaves(shown as unknown as JsonObject, []).map(({ path, value }) => ({
    key: path.join('.'),
    value,
    source: sourceOf(resolved.sources, path),
  }));
  if (context.json)
    return printJson(context, {
      file: resolved.file ?? null,
      config: shown,
      values: rows,
      warnings: resolved.warnings,
    });
  printLines(context, [
    ...table(
      rows.map(({ key, value, source }) => [key, JSON.stringify(value), source === 'default' ? '' : source]),
      context.stdout.columns,
    ),
    ...resolved.warnings.map((warning) => `warning: ${warning}`),
  ]);
}

async function printSchema(context: CommandContext): Promise<void> {
  const [{ configJsonSchema }, report] = await Promise.all([
    import('../../../kernel/config.ts'),
    context.resolveConfig().then((resolved) => pluginReport(context, resolved)),
  ]);
  const schema = configJsonSchema(report.plugins.flatMap(({ manifest }) => manifest ?? []));
  context.stdout.write(`${JSON.stringify(schema, null, context.json ? 0 : 2)}\n`);
}

function leaves(value: JsonObject, path: readonly string[]): { path: string[]; value: unknown }[] {
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...path, key];
    const isBranch =
      typeof child === 'object' && child !== null && !Array.isArray(child) && Object.keys(child).length > 0;
    return isBranch ? leaves(child as JsonObject, here) : [{ path: here, value: child }];
  });
}
