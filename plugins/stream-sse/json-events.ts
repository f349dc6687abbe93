/** The whole log of a run as one JSON document, page by page, without waiting for anything (run events §10.2). */
import type { RouteResponse } from '../../kernel/plugin/points/http.ts';
import type { RunService } from '../../kernel/runs/types.ts';
import { isTerminalEventType } from '../../schemas/event-types.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

const PAGE = 1000;

/** `{events, isComplete}`; a log longer than a page is sent as it is read, so that it never is in memory as a whole. */
export function jsonEvents(runs: RunService, runId: string, tenantId: string): RouteResponse {
  const first = runs.read(runId, tenantId, 0, PAGE);
  if (first.length < PAGE) return { status: 200, body: { events: first, isComplete: isComplete(first) } };
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    stream: pages(first, (from) => runs.read(runId, tenantId, from, PAGE)),
  };
}

async function* pages(
  first: readonly RunEventDoc[],
  read: (from: number) => readonly RunEventDoc[],
): AsyncGenerator<string, void, void> {
  yield `{"events":[${inner(first)}`;
  let page = first;
  let complete = isComplete(page);
  while (page.length === PAGE && !complete) {
    page = read((page.at(-1)?.sequence ?? 0) + 1);
    if (page.length === 0) break;
    complete = isComplete(page);
    yield `,${inner(page)}`;
  }
  yield `],"isComplete":${complete}}`;
}

/** Nothing follows the terminal event. */
const isComplete = (page: readonly RunEventDoc[]): boolean => isTerminalEventType(page.at(-1)?.type ?? '');

const inner = (page: readonly RunEventDoc[]): string => JSON.stringify(page).slice(1, -1);
