// A node type that takes its time: unlike core.delay it occupies its host, so the host keeps the claim of the run meanwhile.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PluginContext } from '../../../kernel/plugin/types.ts';

export function activate(context: PluginContext): void {
  context.register('nodeTypes', 'private.test.slow', {
    typeId: 'private.test.slow',
    description:
      'Takes `ms` and writes to the file `journal` which process began, ended or was told to stop.',
    async execute({ config }, { signal }) {
      const note = (what: string) => appendFileSync(String(config.journal), `${process.pid} ${what}\n`);
      note('began');
      try {
        await sleep(Number(config.ms), undefined, { signal });
      } catch (error) {
        note('stopped');
        throw error;
      }
      note('ended');
      return { kind: 'completed', outputs: { by: process.pid } };
    },
  });
}
