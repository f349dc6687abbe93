/** Checks that the store keeps what the log promises; `wopr doctor` shows what it finds. */
import type { Database } from './database.types.ts';

export interface IntegrityFinding {
  readonly check: string;
  readonly runId?: string;
  readonly message: string;
}

interface Check {
  readonly name: string;
  /** Selects one row per violation: `message`, and `run_id` where there is one. */
  readonly sql: string;
}

/** A damaged store can violate a rule in every run; more than this many findings per check teach nothing. */
const FINDINGS_PER_CHECK = 100;

const TERMINAL_STATUSES = `('completed', 'failed', 'cancelled')`;
const TERMINAL_EVENTS = `('run.completed', 'run.failed', 'run.cancelled')`;

const CHECKS: readonly Check[] = [
  {
    name: 'file',
    sql: `SELECT integrity_check AS message FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
  },
  {
    name: 'references',
    sql: `SELECT "table" || ' row ' || coalesce(rowid, '') || ' refers to a missing row of ' || parent AS message FROM pragma_foreign_key_check`,
  },
  {
    name: 'sequences',
    sql: `SELECT run_id, 'has ' || total || ' events numbered ' || first || ' to ' || last || ', next is ' || next_sequence AS message
      FROM (
        SELECT runs.run_id, next_sequence, count(sequence) AS total, coalesce(min(sequence), 0) AS first,
          coalesce(max(sequence), -1) AS last
        FROM runs LEFT JOIN events ON events.run_id = runs.run_id GROUP BY runs.run_id
      ) WHERE total <> next_sequence OR first <> 0 OR last <> next_sequence - 1`,
  },
  {
    name: 'terminal-event',
    sql: `SELECT run_id, 'is ' || status || ' with ' || endings || ' terminal events, the last event is ' || coalesce(last, 'missing') AS message
      FROM (
        SELECT run_id, status,
          (SELECT count(*) FROM events WHERE events.run_id = runs.run_id AND type IN ${TERMINAL_EVENTS}) AS endings,
          (SELECT type FROM events WHERE events.run_id = runs.run_id ORDER BY sequence DESC LIMIT 1) AS last
        FROM runs
      ) WHERE CASE WHEN status IN ${TERMINAL_STATUSES} THEN endings <> 1 OR last IS NOT 'run.' || status ELSE endings <> 0 END`,
  },
  {
    name: 'terminal-run',
    sql: `SELECT run_id, 'has ended but still has an owner, timer, signal or scope claim' AS message FROM runs
      WHERE status IN ${TERMINAL_STATUSES} AND (owner IS NOT NULL OR wake_at IS NOT NULL
        OR run_id IN (SELECT run_id FROM signals) OR run_id IN (SELECT run_id FROM dedup_claims))`,
  },
  {
    name: 'orphan-events',
    sql: `SELECT run_id, 'has ' || count(*) || ' events but no run' AS message FROM events
      WHERE run_id NOT IN (SELECT run_id FROM runs) GROUP BY run_id`,
  },
  {
    name: 'payloads',
    sql: `SELECT run_id, 'event ' || sequence || ' is not JSON' AS message FROM events
      WHERE NOT json_valid(payload) OR NOT json_valid(coalesce(secret, 'null'))`,
  },
];

/** Runs every check; an empty list means the store is sound. Reads everything, so it takes seconds on a large store. */
export function checkIntegrity(database: Database): IntegrityFinding[] {
  return CHECKS.flatMap(({ name, sql }) =>
    database
      .all<{ message: string; run_id?: string }>({ sql: `${sql} LIMIT ${FINDINGS_PER_CHECK}` })
      .map((row) => ({
        check: name,
        ...(row.run_id !== undefined && { runId: row.run_id }),
        message: row.message,
      })),
  );
}
