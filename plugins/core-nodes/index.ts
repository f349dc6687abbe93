// The node types every host provides (run events §1.10). All of them are inline: pure, so their start and end share one commit.
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { conditional, loop, merge, parallel } from './flow.ts';
import { delay, end, fail, identity, noop, start } from './steps.ts';
import { getVariable, setVariable } from './variables.ts';

export function activate(context: PluginContext): void {
  for (const type of [
    start,
    end,
    noop,
    identity,
    delay,
    fail,
    conditional,
    loop,
    parallel,
    merge,
    setVariable,
    getVariable,
  ])
    context.register('nodeTypes', type.typeId, type);
}
