/** Where a kernel's HTTP plugin listens. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { ServiceName } from '../../kernel/plugin/types.ts';

/** Base URL of the API; undefined when nothing serves it. */
export function servedUrl(kernel: Kernel): string | undefined {
  const server = kernel.service('httpServer' as ServiceName) as { readonly url?: string } | undefined;
  return server?.url;
}
