/** Starting runs, waiting for them and reading their logs: the steps nearly every scenario needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, isObject } from './client.ts';
import type { FixtureId } from './fixtures.ts';
import { fixture, host } from './host.ts';

export interface RunEvent {
  readonly eventId: string;
  readonly runId: string;
  readonly type: string;
  readonly payload: Record<string, unknown>;
  readonly timestamp: string;
  readonly sequence: number;
  readonly nodeId?: string;
  readonly schemaVersion?: number;
  readonly engineVersion?: string;
}

export interface Snapshot extends Record<string, unknown> {
  readonly runId: string;
  readonly status: string;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly details?: unknown };
  readonly variables?: Record<string, unknown>;
}

export interface FinishedRun {
  readonly runId: string;
  /** The answer to the request that created it. */
  readonly created: Answer;
  readonly snapshot: Snapshot;
  readonly events: readonly RunEvent[];
  /** From sending the request to seeing a terminal status. */
  readonly elapsedMs: number;
}

export const TERMINAL_STATUSES: readonly string[] = ['completed', 'failed', 'cancelled'];
export const TERMINAL_EVENTS: readonly string[] = ['run.completed', 'run.failed', 'run.cancelled'];

const POLL_EVERY_MS = 25;

export const runPath = (runId: string) => `/v1/runs/${encodeURIComponent(runId)}`;

/** The `runId` of an accepted run. Throws when the answer is anything else. */
export function runIdOf(answer: Answer): string {
  if (answer.status !== 201 && answer.status !== 200) {
    throw new Error(`The run was not accepted: status ${answer.status}, ${answer.text.slice(0, 300)}`);
  }
  const { runId } = answer.object;
  if (typeof runId !== 'string' || runId === '') throw new Error('The answer has no runId.');
  return runId;
}

/** Starts a run of an advertised fixture; "not claimed" when it is not advertised. */
export async function start(id: FixtureId, body: Record<string, unknown> = {}): Promise<string> {
  return runIdOf(await host.post('/v1/runs', { workflowId: await fixture(id), ...body }));
}

export async function snapshotOf(runId: string): Promise<Snapshot> {
  const answer = await host.get(runPath(runId));
  if (answer.status !== 200)
    throw new Error(`GET ${runPath(runId)} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  return answer.object as Snapshot;
}

/** Waits for one of the statuses. Throws when another terminal one or the time limit comes first. */
export async function waitForStatus(
  runId: string,
  statuses: readonly string[],
  timeoutMs: number,
): Promise<Snapshot> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const snapshot = await snapshotOf(runId);
    if (statuses.includes(snapshot.status)) return snapshot;
    if (TERMINAL_STATUSES.includes(snapshot.status)) {
      throw new Error(
        `Run ${runId} ended as "${snapshot.status}" while ${statuses.join(' or ')} was expected.`,
      );
    }
    if (performance.now() > deadline) {
      throw new Error(
        `Run ${runId} is still "${snapshot.status}" after ${timeoutMs} ms; expected ${statuses.join(' or ')}.`,
      );
    }
    await sleep(POLL_EVERY_MS);
  }
}

export function waitForTerminal(runId: string, timeoutMs = 15_000): Promise<Snapshot> {
  return waitForStatus(runId, TERMINAL_STATUSES, timeoutMs);
}

/** The whole log as the poll endpoint gives it; for a live run, what is there now. */
export async function eventLog(runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.sequence;
    const query = after === undefined ? '?timeout=1' : `?timeout=1&lastSequence=${after}`;
    const page = pageOf(await host.get(`${runPath(runId)}/events/poll${query}`));
    events.push(...page.events);
    if (page.isComplete || page.events.length === 0) return events;
  }
}

/** An answer of the poll endpoint, or of `/events` as JSON. Throws when it has another shape. */
export function pageOf(answer: Answer): { events: RunEvent[]; isComplete: boolean } {
  if (answer.status !== 200)
    throw new Error(`The log was not served: status ${answer.status}, ${answer.text.slice(0, 300)}`);
  const { events, isComplete } = answer.object;
  if (!Array.isArray(events) || !events.every(isObject))
    throw new Error('"events" is not a list of objects.');
  if (typeof isComplete !== 'boolean') throw new Error('"isComplete" is not a boolean.');
  return { events: events as unknown as RunEvent[], isComplete };
}

/** Runs a fixture to its end and reads everything about it. */
export async function runToEnd(
  id: FixtureId,
  body: Record<string, unknown> = {},
  timeoutMs = 15_000,
): Promise<FinishedRun> {
  const workflowId = await fixture(id);
  const startedAt = performance.now();
  const created = await host.post('/v1/runs', { workflowId, ...body });
  const runId = runIdOf(created);
  const snapshot = await waitForTerminal(runId, timeoutMs);
  const elapsedMs = performance.now() - startedAt;
  return { runId, created, snapshot, events: await eventLog(runId), elapsedMs };
}

export const typesOf = (events: readonly RunEvent[]): string[] => events.map(({ type }) => type);
export const ofType = (events: readonly RunEvent[], type: string): RunEvent[] =>
  events.filter((event) => event.type === type);
