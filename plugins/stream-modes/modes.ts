/** `updates` and `debug` (run events §4.5, §9.2): the frame is labelled with the event's type and carries the whole document. */
import type { StreamMode } from '../../kernel/plugin/points/streams.ts';
import { EVENT_TIERS } from '../../schemas/event-types.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

/** Both modes and all subscribers share one serialisation of an event; it goes when the event goes. */
const serialised = new WeakMap<RunEventDoc, string>();

function frame(event: RunEventDoc): { readonly event: string; readonly data: string } {
  let data = serialised.get(event);
  if (data === undefined) {
    data = JSON.stringify(event);
    serialised.set(event, data);
  }
  return { event: event.type, data };
}

export const debug: StreamMode = { name: 'debug', mixable: true, batchable: true, frame };

export const updates: StreamMode = {
  name: 'updates',
  mixable: true,
  batchable: true,
  // A type this build does not know has no tiers: such events are for debug only.
  frame: (event) => (EVENT_TIERS[event.type]?.includes('updates') ? frame(event) : null),
};
