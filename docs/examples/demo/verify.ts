/** Looks for what a crash could have damaged: gaps, duplicates, steps done twice, more than one end. */
import { isDeepStrictEqual } from 'node:util';
import { isTerminalEventType } from '../../../schemas/event-types.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';

/** Outputs of the order that the demo places, but for the receipt, which differs from run to run. */
const EXPECTED = {
  orderId: 'A-1017',
  label: 'EXPRESS',
  parcel: ['book from B28', 'lamp from A27'],
  payment: 74.9,
};

export interface Finding {
  readonly what: string;
  readonly held: boolean;
}

/** What must hold for the log of a finished run, and for what a client saw of it over two connections. */
export function verify(log: readonly RunEventDoc[], seen: readonly RunEventDoc[]): Finding[] {
  const completed = log.filter(({ type }) => type === 'node.completed').map(({ nodeId }) => nodeId);
  const terminal = log.filter(({ type }) => isTerminalEventType(type));
  const last = log.at(-1);
  return [
    {
      what: `sequence runs from 0 to ${log.length - 1} without a gap`,
      held: log.length > 0 && log.every((event, i) => event.sequence === i),
    },
    {
      what: 'every event has its own id',
      held: new Set(log.map(({ eventId }) => eventId)).size === log.length,
    },
    {
      what: `${completed.length} steps completed, none of them twice`,
      held: new Set(completed).size === completed.length,
    },
    {
      what: 'exactly one end, and it is the last event',
      held: terminal.length === 1 && last !== undefined && isTerminalEventType(last.type),
    },
    {
      what: 'the live stream showed each event once, across the crash',
      held: seen.length === log.length && seen.every((event, i) => event.eventId === log[i]?.eventId),
    },
    {
      what: 'the run was taken over by the second host',
      held: log.some(({ type }) => type === 'run.resumed'),
    },
    { what: 'a failed attempt was tried again', held: log.some(({ type }) => type === 'node.retried') },
    {
      what: 'the run completed with the outputs of an undisturbed one',
      held: last?.type === 'run.completed' && isDeepStrictEqual(outputsOf(last), EXPECTED),
    },
  ];
}

/** With the amount in place of the whole payment. */
function outputsOf(event: RunEventDoc): unknown {
  const { outputs } = event.payload as { outputs?: { payment?: { amount?: unknown } } };
  return { ...outputs, payment: outputs?.payment?.amount };
}
