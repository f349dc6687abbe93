// What a log says happened, without what differs between any two runs: ids, tags, times, and that a host took the run over.
import type { JsonValue } from '../../schemas/json.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

export interface Step {
  readonly type: string;
  readonly nodeId: string | undefined;
  readonly payload: JsonValue;
}

/** The events in order. `run.resumed` says that the run was taken over, which is what an uninterrupted run lacks. */
export function storyOf(events: readonly RunEventDoc[]): Step[] {
  return events
    .filter(({ type }) => type !== 'run.resumed')
    .map(({ type, nodeId, payload }) => ({ type, nodeId, payload: withoutIncidentals(payload) }));
}

/** The same as one line per event, sorted: for runs whose branches may finish in any order. */
export function happenings(events: readonly RunEventDoc[]): string[] {
  return storyOf(events)
    .map((step) => JSON.stringify(step))
    .sort();
}

function withoutIncidentals(payload: JsonValue): JsonValue {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  const { durationMs: _duration, tags: _tags, ...rest } = payload;
  return rest;
}
