/** `wopr doctor`: examines everything a host on this machine would need. Changes nothing. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type CommandContext, EXIT } from '../../../kernel/commands.ts';
import type { ResolvedConfig } from '../../../kernel/config.ts';
import { WoprError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { CheckReport } from '../../../kernel/plugin/index.ts';
import { type Examination, failed, ok, warning } from '../doctor/examination.ts';
import { colorsOf, examples, printJson, printLines } from '../print.ts';

export function define(program: Command, context: CommandContext): void {
  const doctor = program
    .command('doctor')
    .description(
      'Examines configuration, Node, data folder, disk, ports, the store and its claims. Changes nothing.',
    )
    .option('--quick', 'leave out the integrity check, which reads the whole store')
    .action((options: { quick?: boolean }) => examine(options.quick === true, context));
  examples(doctor, ['wopr doctor', 'wopr doctor --data-dir /var/lib/wopr', 'wopr doctor --quick --json']);
}

async function examine(quick: boolean, context: CommandContext): Promise<void> {
  const resolved = await context.resolveConfig();
  const { pluginReport } = await import('../plugin-report.ts');
  const report = await pluginReport(context, resolved);
  const examinations = [
    ...examineConfig(resolved, report),
    ...(await examineMachine(resolved, report)),
    ...(await examineStore(resolved, report, quick, context)),
  ];
  const healthy = examinations.every(({ status }) => status !== 'failed');
  if (context.json) printJson(context, { healthy, examinations });
  else
    printLines(context, [
      ...examinations.map((examination) => line(examination, context)),
      '',
      verdict(examinations),
    ]);
  context.exit(healthy ? EXIT.ok : EXIT.failed);
}

function examineConfig({ file, warnings }: ResolvedConfig, report: CheckReport): Examination[] {
  const ready = report.plugins.filter(({ state }) => state === 'ready').length;
  return [
    ok('configuration', file ?? 'defaults and environment'),
    ...warnings.map((text) => warning('configuration', text)),
    report.ok
      ? ok('plugins', `${ready} of ${report.plugins.length} ready`)
      : failed('plugins', `${report.problems.length} to correct; wopr check shows them`),
  ];
}

async function examineMachine({ config }: ResolvedConfig, report: CheckReport): Promise<Examination[]> {
  const { examineDataDir, examineDisk, examineNode, examinePorts } = await import('../doctor/machine.ts');
  return [
    examineNode(process.versions.node),
    examineDataDir(config.dataDir),
    examineDisk(config.dataDir),
    ...(await examinePorts(config, report.plugins)),
  ];
}

async function examineStore(
  resolved: ResolvedConfig,
  report: CheckReport,
  quick: boolean,
  context: CommandContext,
): Promise<Examination[]> {
  const { path } = resolved.config.store;
  const { examineIntegrity, examineRuns, examineStoreFile } = await import('../doctor/store.ts');
  const file = examineStoreFile(path);
  // Opening the store would create it, and needs plugins that load.
  if (!existsSync(path) || !report.ok) return [file];
  let kernel: Kernel;
  try {
    kernel = await context.openKernel('tool', { resolved });
  } catch (error) {
    if (!(error instanceof WoprError)) throw error;
    // The catalogue's hint for a damaged store names this command.
    const hint =
      error.code === 'store_corrupt'
        ? 'Restore a backup: docs/operating.md, "Backup and restore".'
        : error.entry.hint;
    return [file, failed('store', `${error.message} ${hint}`)];
  }
  try {
    return [file, ...(quick ? [] : examineIntegrity(kernel)), ...examineRuns(kernel, Date.now())];
  } finally {
    await kernel.stop();
  }
}

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const;

function line({ name, status, detail }: Examination, context: CommandContext): string {
  const colors = colorsOf(context);
  const paint = { ok: colors.green, warning: colors.yellow, failed: colors.red }[status];
  return `${paint(MARKS[status])} ${name.padEnd(16)} ${detail}`;
}

function verdict(examinations: readonly Examination[]): string {
  const count = (status: Examination['status']) =>
    examinations.filter((examination) => examination.status === status).length;
  if (count('failed') > 0) return `${count('failed')} of ${examinations.length} failed`;
  return count('warning') > 0 ? `healthy, ${count('warning')} to look at` : 'healthy';
}
