// Reads a whole store and says what does not hold of it after every run has ended.
import { pino } from 'pino';
import { openStore, type RunEventDoc } from '../../kernel/log/index.ts';
import { checkIntegrity } from '../../kernel/log/integrity.ts';
import { isTerminalStatus } from '../../schemas/run-status.ts';
import { checkEvent } from '../../schemas/validators.ts';
import { happenings } from './story.ts';

export interface StoredRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly events: readonly RunEventDoc[];
}

export interface Audit {
  readonly runs: ReadonlyMap<string, StoredRun>;
  /** In words; empty when everything holds. */
  readonly problems: readonly string[];
}

/** Events of a run that was never interrupted, by workflow, as `happenings`. A workflow without one may end in any way. */
export type Expected = ReadonlyMap<string, readonly string[]>;

/** Nobody else may have the store open for writing. */
export async function auditStore(path: string, expected: Expected): Promise<Audit> {
  const store = openStore({ path, logger: pino({ level: 'silent' }) });
  try {
    const problems = checkIntegrity(store.database).map((finding) => JSON.stringify(finding));
    const runs = new Map<string, StoredRun>();
    const rows = store.database.all<{ run_id: string }>({ sql: 'SELECT run_id FROM runs ORDER BY run_id' });
    for (const { run_id: runId } of rows) {
      const record = store.log.run(runId);
      if (!record) throw new Error(`Run ${runId} vanished.`);
      const events = store.log.read(runId, 0, 1000);
      const { workflowId, status, options, nextSequence, completedAt, error } = record;
      runs.set(runId, { runId, workflowId, status, tags: options.tags ?? [], events });
      const found = [
        ...problemsOfLog(events),
        ...(isTerminalStatus(status) ? [] : [`is still ${status}`]),
        ...differences(
          { status, nextSequence, completedAt, error },
          {
            status: events.at(-1)?.type.replace('run.', ''),
            nextSequence: events.length,
            completedAt: events.at(-1)?.timestamp,
            error: errorOf(events.at(-1)),
          },
        ),
      ];
      const usual = expected.get(workflowId);
      if (usual && status !== 'cancelled' && happenings(events).join('\n') !== usual.join('\n'))
        found.push(
          `tells another story: ${events.map(({ type, nodeId = '' }) => `${type} ${nodeId}`).join(', ')}`,
        );
      problems.push(...found.map((problem) => `${workflowId} ${runId} ${problem}`));
    }
    return { runs, problems };
  } finally {
    await store.close();
  }
}

const TERMINAL = new Set(['run.completed', 'run.failed', 'run.cancelled']);

function problemsOfLog(events: readonly RunEventDoc[]): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  /** Executions of each node that have begun and not ended. */
  const open = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    const { sequence, eventId, type, nodeId = '' } = event;
    if (sequence !== index) problems.push(`has sequence ${sequence} at place ${index}`);
    if (ids.has(eventId)) problems.push(`has event ${eventId} twice`);
    ids.add(eventId);
    if (TERMINAL.has(type) !== (index === events.length - 1)) problems.push(`has ${type} at place ${index}`);
    const invalid = checkEvent(event);
    if (invalid) problems.push(`has an invalid ${type}: ${JSON.stringify(invalid)}`);
    const { attempt } = event.payload as { attempt?: number };
    if (type === 'node.started' && attempt === 0) open.set(nodeId, (open.get(nodeId) ?? 0) + 1);
    if (type === 'node.completed' || type === 'node.failed') {
      open.set(nodeId, (open.get(nodeId) ?? 0) - 1);
      if ((open.get(nodeId) ?? 0) < 0) problems.push(`ends node ${nodeId} more often than it began`);
    }
  }
  if ((events[0]?.type ?? '') !== 'run.started') problems.push('does not begin with run.started');
  return problems;
}

function errorOf(last: RunEventDoc | undefined): unknown {
  return last?.type === 'run.failed' ? (last.payload as { error?: unknown }).error : null;
}

function differences(
  row: Readonly<Record<string, unknown>>,
  log: Readonly<Record<string, unknown>>,
): string[] {
  return Object.keys(row)
    .filter((key) => JSON.stringify(row[key]) !== JSON.stringify(log[key]))
    .map(
      (key) => `has ${key} ${JSON.stringify(row[key])} in its row, ${JSON.stringify(log[key])} in its log`,
    );
}
