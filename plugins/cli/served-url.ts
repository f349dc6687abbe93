/** Where a kernel's HTTP plugin listens. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { HttpServer } from '../http/contract.ts';

/** Base URL of the API; undefined when nothing serves it. */
export function servedUrl(kernel: Kernel): string | undefined {
  const server: HttpServer | undefined = kernel.service('httpServer');
  return server?.address();
}
