// Node types of the demo shop: work that takes time, and work that fails at first.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeType } from '../../../../kernel/dispatch/types.ts';
import type { PluginContext } from '../../../../kernel/plugin/types.ts';
import type { JsonObject } from '../../../../schemas/json.ts';

const durationSchema: JsonObject = { type: 'integer', minimum: 0, maximum: 60_000 };

const pickItem: NodeType = {
  typeId: 'community.demo.pickItem',
  description: 'Walks to a shelf and picks `item`; takes `ms` milliseconds.',
  configSchema: {
    type: 'object',
    required: ['item', 'ms'],
    properties: { item: { type: 'string', minLength: 1 }, ms: durationSchema },
  },
  async execute({ config }, { signal }) {
    const item = String(config.item);
    // The signal ends the wait when the run is cancelled or the host stops.
    await sleep(Number(config.ms), undefined, { signal });
    return { kind: 'completed', outputs: { output: { item, shelf: shelfOf(item) } } };
  },
};

const chargeCard: NodeType = {
  typeId: 'community.demo.chargeCard',
  description: 'Charges `amount` (input). The first attempt of each charge times out, as card networks do.',
  configSchema: { type: 'object', properties: { ms: durationSchema } },
  async execute({ attempt, inputs, config, invocationId }, { signal }) {
    await sleep(Number(config.ms ?? 0), undefined, { signal });
    if (attempt === 0) {
      const error = { code: 'card_network_timeout', message: 'the card network did not answer' };
      return { kind: 'failed', error, retryable: true };
    }
    // The id stays the same when a crash repeats the attempt: a provider given it charges only once.
    const receipt = createHash('sha256').update(invocationId).digest('hex').slice(0, 12);
    return { kind: 'completed', outputs: { output: { receipt, amount: inputs.amount ?? 0 } } };
  },
};

export function activate(context: PluginContext): void {
  for (const type of [pickItem, chargeCard]) context.register('nodeTypes', type.typeId, type);
}

/** The same item always lies on the same shelf. */
function shelfOf(item: string): string {
  const sum = [...item].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return `${'ABCDEF'[sum % 6]}${(sum % 40) + 1}`;
}
