/** Tables of the event log: their migration and their types for Kysely. JSON columns are text, times in `runs` are ISO strings. */
import type { RunStatus } from '../../schemas/run-status.ts';
import type { Migration } from './database.types.ts';

export interface RunRow {
  run_id: string;
  tenant_id: string;
  workflow_id: string;
  workflow_version: string;
  definition_digest: string;
  scope_id: string | null;
  engine_version: number;
  event_log_schema_version: number;
  inputs: string;
  options: string;
  test: number;
  created_at: string;
  status: RunStatus;
  current_node_id: string | null;
  started_at: string | null;
  completed_at: string | null;
  error: string | null;
  wake_at: number | null;
  next_sequence: number;
  owner: string | null;
}

export interface EventRow {
  run_id: string;
  sequence: number;
  type: string;
  node_id: string | null;
  /** Epoch ms. */
  at: number;
  payload: string;
  /** Unmasked payload, when `payload` is masked. */
  secret: string | null;
  causation_id: string | null;
  schema_version: number | null;
  engine_version: string | null;
}

export interface LogTables {
  runs: RunRow;
  events: EventRow;
  checkpoints: { run_id: string; sequence: number; state: string };
  run_tags: { run_id: string; tag: string; tenant_id: string };
  instances: { instance_id: string; expires_at: number; started_at: number };
  signals: { signal_id: number; run_id: string; kind: string; payload: string; created_at: string };
  dedup_claims: { tenant_id: string; scope_id: string; run_id: string };
  expired_runs: { run_id: string; tenant_id: string; expired_at: string };
}

/**
 * Run ids are time-ordered, so an index ending in `run_id` lists newest first without sorting. The partial indexes hold only the few
 * runs they exist for, so that neither start-up nor polling depends on the number of finished runs. Checkpoints have their own table
 * because an append rewrites the whole `runs` row.
 */
export const LOG_MIGRATIONS: readonly Migration[] = [
  {
    name: '001-event-log',
    up: [
      `CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, workflow_id TEXT NOT NULL, workflow_version TEXT NOT NULL,
        definition_digest TEXT NOT NULL, scope_id TEXT, engine_version INTEGER NOT NULL, event_log_schema_version INTEGER NOT NULL,
        inputs TEXT NOT NULL, options TEXT NOT NULL, test INTEGER NOT NULL, created_at TEXT NOT NULL,
        status TEXT NOT NULL, current_node_id TEXT, started_at TEXT, completed_at TEXT, error TEXT, wake_at INTEGER,
        next_sequence INTEGER NOT NULL, owner TEXT
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX runs_by_tenant ON runs (tenant_id, run_id)',
      'CREATE INDEX runs_by_workflow ON runs (tenant_id, workflow_id, run_id)',
      `CREATE INDEX runs_not_completed ON runs (tenant_id, status, run_id) WHERE status <> 'completed'`,
      'CREATE INDEX runs_owned ON runs (owner) WHERE owner IS NOT NULL',
      'CREATE INDEX runs_timed ON runs (wake_at) WHERE owner IS NULL AND wake_at IS NOT NULL',
      `CREATE INDEX runs_stranded ON runs (run_id) WHERE owner IS NULL AND wake_at IS NULL AND status IN ('pending', 'running')`,
      `CREATE TABLE events (
        run_id TEXT NOT NULL, sequence INTEGER NOT NULL, type TEXT NOT NULL, node_id TEXT, at INTEGER NOT NULL, payload TEXT NOT NULL,
        secret TEXT, causation_id TEXT, schema_version INTEGER, engine_version TEXT, PRIMARY KEY (run_id, sequence)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE checkpoints (
        run_id TEXT PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE, sequence INTEGER NOT NULL, state TEXT NOT NULL
      ) STRICT`,
      `CREATE TABLE run_tags (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, tag TEXT NOT NULL, tenant_id TEXT NOT NULL,
        PRIMARY KEY (run_id, tag)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX run_tags_by_tag ON run_tags (tag, tenant_id, run_id)',
      `CREATE TABLE instances (
        instance_id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, started_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE signals (
        signal_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        kind TEXT NOT NULL, payload TEXT NOT NULL, created_at TEXT NOT NULL
      ) STRICT`,
      'CREATE INDEX signals_by_run ON signals (run_id)',
      `CREATE TABLE dedup_claims (
        tenant_id TEXT NOT NULL, scope_id TEXT NOT NULL, run_id TEXT NOT NULL UNIQUE REFERENCES runs (run_id) ON DELETE CASCADE,
        PRIMARY KEY (tenant_id, scope_id)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE expired_runs (
        run_id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, expired_at TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
    ],
  },
];
