/** The plugin plan of this invocation, for commands that look at plugins without starting them. */
import type { CommandContext } from '../../kernel/commands.ts';
import type { ResolvedConfig } from '../../kernel/config.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CheckReport, PluginProblem } from '../../kernel/plugin/index.ts';

/** What plugins may require although no plugin provides it; the compiler keeps it equal to what the kernel offers. */
const KERNEL_SERVICES = Object.keys({
  runs: true,
  workflows: true,
  log: true,
  claims: true,
  database: true,
  host: true,
} satisfies Record<keyof Kernel['services'], true>);

export async function pluginReport(context: CommandContext, resolved: ResolvedConfig): Promise<CheckReport> {
  const [{ checkPlugins }, { WOPR_VERSION }] = await Promise.all([
    import('../../kernel/plugin/index.ts'),
    import('../../kernel/version.ts'),
  ]);
  const report = checkPlugins({
    resolved,
    builtin: context.builtInPlugins,
    kernelVersion: WOPR_VERSION,
    services: KERNEL_SERVICES,
  });
  const problems = [...report.problems, ...dispatcherProblems(resolved.config.dispatch.dispatcher, report)];
  return { ...report, ok: report.ok && problems.length === 0, problems };
}

/** The kernel finds a dispatcher nobody provides only when it starts; manifests tell it beforehand. */
function dispatcherProblems(name: string, { plugins }: CheckReport): PluginProblem[] {
  const offering = plugins.filter(({ manifest }) => manifest?.contributes?.dispatchers?.includes(name));
  if (name === 'local' || offering.some(({ state }) => state === 'ready')) return [];
  const disabled = offering.find(({ state }) => state === 'disabled');
  // A plugin that failed is a problem of its own already.
  if (offering.length > 0 && disabled === undefined) return [];
  const why =
    disabled === undefined
      ? 'which no plugin provides'
      : `which ${disabled.name} provides, but it is disabled: run "wopr plugin enable ${disabled.name}"`;
  const message = `dispatch.dispatcher is "${name}", ${why}.`;
  return [{ plugin: disabled?.name ?? 'kernel', step: 'config', code: 'config_invalid', message }];
}
