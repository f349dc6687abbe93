/** One poll: what is there, or what comes within the time (run events §10.1). */
import type { RunService } from '../../kernel/runs/types.ts';
import { isTerminalEventType } from '../../schemas/event-types.ts';
import type { EventPage } from '../../schemas/poll.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { isTerminalStatus } from '../../schemas/run-status.ts';

/** A longer answer is cut here, with `isComplete: false`; the next poll goes on. */
export const PAGE = 1000;

/** Answers at once when events exist from `from` on or the run has ended; undefined when there is something to wait for. */
export function available(
  runs: RunService,
  runId: string,
  tenantId: string,
  from: number,
): EventPage | undefined {
  // The status first: whatever was written before a terminal status is then seen by the read.
  const { status } = runs.get(runId, tenantId);
  const events = runs.read(runId, tenantId, from, PAGE);
  if (events.length > 0) return page(events);
  return isTerminalStatus(status) ? { events: [], isComplete: true } : undefined;
}

/** Waits for the next events from `from` on, until `signal` aborts. */
export async function awaited(
  runs: RunService,
  runId: string,
  tenantId: string,
  from: number,
  signal: AbortSignal,
): Promise<EventPage> {
  // A client may name a sequence the log has not reached: it still has to learn that the run ends.
  const start = Math.min(from, runs.get(runId, tenantId).nextSequence);
  for await (const batch of runs.follow(runId, tenantId, start, signal)) {
    const events = batch.filter(({ sequence }) => sequence >= from);
    if (events.length > 0) return page(events.slice(0, PAGE));
    if (isTerminalEventType(batch.at(-1)?.type ?? '')) return { events: [], isComplete: true };
  }
  return available(runs, runId, tenantId, from) ?? { events: [], isComplete: false };
}

/** The terminal event is the last of its run, so nothing follows it. */
const page = (events: RunEventDoc[]): EventPage => ({
  events,
  isComplete: isTerminalEventType(events.at(-1)?.type ?? ''),
});
