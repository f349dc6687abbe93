// The stream modes whose frames are the events themselves: updates shows what clients act on, debug shows everything.
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { debug, updates } from './modes.ts';

export function activate(context: PluginContext): void {
  for (const mode of [updates, debug]) context.register('streamModes', mode.name, mode);
}
