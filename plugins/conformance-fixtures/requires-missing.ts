/** A node type no host can run: it requires a capability that must never be provided (HTTP §12.5). */
import type { NodeType } from '../../kernel/dispatch/types.ts';

export const requiresMissing: NodeType = {
  typeId: 'conformance.requiresMissing',
  description: 'Requires a capability no host provides; its run fails with capability_not_provided.',
  inline: true,
  requires: ['conformance.never-provided'],
  execute: () => ({
    kind: 'failed',
    retryable: false,
    error: {
      code: 'node_error',
      message: 'A node was executed although the host lacks the capability it requires.',
    },
  }),
};
