// Node types that take their time: unlike core.delay they occupy their host, so it keeps the claim of the run meanwhile.
import { appendFileSync, existsSync } from 'node:fs';
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
  context.register('nodeTypes', 'private.test.gate', {
    typeId: 'private.test.gate',
    description: 'Waits until `file` exists.',
    async execute({ config }, { signal }) {
      while (!existsSync(String(config.file))) await sleep(10, undefined, { signal });
      return { kind: 'completed', outputs: {} };
    },
  });
}
