// Workflows for conformance tests: seeds those whose node types exist and lists them in the discovery document.
import { join } from 'node:path';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { requiresMissing } from './requires-missing.ts';
import { seedFixtures } from './seed.ts';

export function activate(context: PluginContext): void {
  let seeded: readonly string[] = [];
  context.register('nodeTypes', requiresMissing.typeId, requiresMissing);
  context.register('capabilities', 'fixtures', () => [...seeded]);
  // Not earlier: the node types of every plugin must be there.
  context.onReady(async () => {
    seeded = await seedFixtures({
      folder: join(import.meta.dirname, 'definitions'),
      workflows: context.service('workflows'),
      nodeTypes: new Set(context.contributions('nodeTypes').map(({ id }) => id)),
      logger: context.logger,
    });
  });
}
