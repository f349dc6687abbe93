/** `wopr plugin`: list, info, enable, disable. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { type CommandContext, CommandFailure, EXIT } from '../../../kernel/commands.ts';
import type { ResolvedConfig } from '../../../kernel/config.ts';
import type { CheckReport, PluginReport } from '../../../kernel/plugin/index.ts';
import type { PluginManifest } from '../../../kernel/plugin/types.ts';
import { closest } from '../../../schemas/nearest.ts';
import { pluginReport } from '../plugin-report.ts';
import { colorsOf, examples, printJson, printLines, table } from '../print.ts';

export function define(program: Command, context: CommandContext): void {
  const plugin = program.command('plugin').description('Lists, describes, enables and disables plugins.');
  examples(plugin, ['wopr plugin list', 'wopr plugin info http', 'wopr plugin disable long-poll']);

  const list = plugin
    .command('list')
    .description('Lists every plugin found and what it is in for.')
    .action(() => listPlugins(context));
  examples(list, ['wopr plugin list', 'wopr plugin list --json']);

  const info = plugin
    .command('info')
    .description('Describes one plugin: what it contributes, requires and can be configured with.')
    .argument('<name>')
    .action((name: string) => showPlugin(name, context));
  examples(info, ['wopr plugin info http', 'wopr plugin info api-keys --json']);

  for (const [verb, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    const command = plugin
      .command(verb)
      .description(
        `${enabled ? 'Enables' : 'Disables'} a plugin in wopr.config.json; takes effect when the host starts next.`,
      )
      .argument('<name>')
      .action((name: string) => setEnabled(name, enabled, context));
    examples(command, [`wopr plugin ${verb} nats`, `wopr plugin ${verb} nats --config production.json`]);
  }
}

async function load(context: CommandContext): Promise<{ resolved: ResolvedConfig; report: CheckReport }> {
  const resolved = await context.resolveConfig();
  return { resolved, report: await pluginReport(context, resolved) };
}

async function listPlugins(context: CommandContext): Promise<void> {
  const { report } = await load(context);
  if (context.json) {
    const plugins = report.plugins.map(({ manifest, ...plugin }) => ({
      ...plugin,
      description: manifest?.description ?? null,
    }));
    return printJson(context, { plugins });
  }
  const rows = report.plugins.map(({ name, version, state, manifest }) => [
    name,
    version,
    state,
    manifest?.description ?? '',
  ]);
  const [head = '', ...lines] = table(
    [['PLUGIN', 'VERSION', 'STATE', 'WHAT FOR'], ...rows],
    context.stdout.columns,
  );
  printLines(context, [colorsOf(context).bold(head), ...lines]);
}

async function showPlugin(name: string, context: CommandContext): Promise<void> {
  const { report } = await load(context);
  const plugin = find(name, report);
  if (context.json) return printJson(context, plugin);
  const colors = colorsOf(context);
  const { manifest } = plugin;
  printLines(context, [
    `${colors.bold(plugin.name)} ${plugin.version}  ${plugin.state}`,
    ...(manifest === undefined ? [] : [manifest.description]),
    ...section('requires', plugin.requires),
    ...section('provides', plugin.provides),
    ...contributions(manifest),
    ...section('config', configKeys(manifest)),
    ...section(
      'problems',
      plugin.problems.map(({ message }) => message),
    ),
    `manifest       ${plugin.path}`,
  ]);
}

function contributions(manifest: PluginManifest | undefined): string[] {
  return Object.entries(manifest?.contributes ?? {}).flatMap(([point, entries]) =>
    section(
      point,
      entries.map((entry) => (typeof entry === 'string' ? entry : `wopr ${entry.name}: ${entry.summary}`)),
    ),
  );
}

function configKeys(manifest: PluginManifest | undefined): string[] {
  const properties = manifest?.config?.properties ?? {};
  return Object.entries(properties).map(([key, schema]) => {
    const { description, default: initial } = schema as { description?: string; default?: unknown };
    return `${key}${initial === undefined ? '' : ` = ${JSON.stringify(initial)}`}${description === undefined ? '' : `  ${description}`}`;
  });
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.map((entry, i) => `${(i === 0 ? title : '').padEnd(14)} ${entry}`);
}

async function setEnabled(name: string, enabled: boolean, context: CommandContext): Promise<void> {
  const { resolved, report } = await load(context);
  find(name, report);
  const { CONFIG_FILE, setPluginEnabled } = await import('../../../kernel/config.ts');
  const file = resolved.file ?? join(context.cwd, CONFIG_FILE);
  setPluginEnabled(file, name, enabled);
  const after = await pluginReport(context, await context.resolveConfig());
  if (context.json)
    return printJson(context, { plugin: name, enabled, file, ok: after.ok, problems: after.problems });
  printLines(context, [
    `${name} ${enabled ? 'enabled' : 'disabled'} in ${file}; takes effect when the host starts next.`,
  ]);
  for (const { message } of after.problems) context.stderr.write(`warning: ${message}\n`);
}

function find(name: string, report: CheckReport): PluginReport {
  const plugin = report.plugins.find((candidate) => candidate.name === name);
  if (plugin !== undefined) return plugin;
  const meant = closest(
    name,
    report.plugins.map((candidate) => candidate.name),
  );
  throw new CommandFailure(EXIT.failed, 'not_found', `There is no plugin "${name}".`, {
    hint: `The nearest one is "${meant}"; wopr plugin list shows all.`,
  });
}
