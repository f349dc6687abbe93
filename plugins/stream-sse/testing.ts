/** For this folder's tests: modes like those of the stream-modes plugin, but counting how often they serialise. */
import type { StreamMode } from '../../kernel/plugin/points/streams.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

export const serialised = { count: 0 };

function frame(event: RunEventDoc) {
  serialised.count++;
  return { event: event.type, data: JSON.stringify(event) };
}

export const debug: StreamMode = { name: 'debug', mixable: true, batchable: true, frame };

/** Everything but `node.started`. */
export const updates: StreamMode = {
  name: 'updates',
  mixable: true,
  batchable: true,
  frame: (event) => (event.type === 'node.started' ? null : frame(event)),
};

/** Its frames are no event documents. */
export const chunks: StreamMode = {
  name: 'chunks',
  mixable: true,
  frame: () => ({ event: 'chunk', data: '"x"' }),
};

export const values: StreamMode = { name: 'values', mixable: false, frame: () => null };
