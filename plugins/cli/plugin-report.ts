/** The plugin plan of this invocation, for commands that look at plugins without starting them. */
import type { CommandContext } from '../../kernel/commands.ts';
import type { ResolvedConfig } from '../../kernel/config.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CheckReport } from '../../kernel/plugin/index.ts';

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
  return checkPlugins({
    resolved,
    builtin: context.builtInPlugins,
    kernelVersion: WOPR_VERSION,
    services: KERNEL_SERVICES,
  });
}
