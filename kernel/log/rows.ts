/** Run records and events to table rows and back. */

import type { RunEventType } from '../../schemas/event-types.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { isTerminalStatus } from '../../schemas/run-status.ts';
import type { EventRow, RunRow } from './tables.ts';
import type {
  LogEntry,
  RunError,
  RunEventDoc,
  RunHeader,
  RunOptions,
  RunProjection,
  RunRecord,
} from './types.ts';

/** Order in which `runParameters` gives its values. */
export const RUN_COLUMNS = [
  'run_id',
  'tenant_id',
  'workflow_id',
  'workflow_version',
  'definition_digest',
  'scope_id',
  'engine_version',
  'event_log_schema_version',
  'inputs',
  'options',
  'test',
  'created_at',
  'status',
  'current_node_id',
  'started_at',
  'completed_at',
  'error',
  'wake_at',
  'owner',
  'next_sequence',
] as const satisfies readonly (keyof RunRow)[];

/** Order in which `eventParameters` gives its values. */
export const EVENT_COLUMNS = [
  'run_id',
  'sequence',
  'type',
  'node_id',
  'at',
  'payload',
  'secret',
  'causation_id',
  'schema_version',
  'engine_version',
] as const satisfies readonly (keyof EventRow)[];

/** Event ids are derived, not stored: unique because run ids are, and known before the write (run events §4.1). */
export const eventIdOf = (runId: string, sequence: number): string => `${runId}.${sequence}`;

export function runParameters(
  header: RunHeader,
  projection: RunProjection,
  owner: string | null,
  next: number,
): unknown[] {
  return [
    header.runId,
    header.tenantId,
    header.workflowId,
    header.workflowVersion,
    header.definitionDigest,
    header.scopeId,
    header.engineVersion,
    header.eventLogSchemaVersion,
    JSON.stringify(header.inputs),
    JSON.stringify(header.options),
    header.test ? 1 : 0,
    header.createdAt,
    ...projectionParameters(projection, owner),
    next,
  ];
}

/** A terminal run has neither owner nor timer, whatever is asked for. */
export function projectionParameters(projection: RunProjection, owner: string | null): unknown[] {
  const terminal = isTerminalStatus(projection.status);
  return [
    projection.status,
    projection.currentNodeId,
    projection.startedAt,
    projection.completedAt,
    projection.error === null ? null : JSON.stringify(projection.error),
    terminal ? null : projection.wakeAt,
    terminal ? null : owner,
  ];
}

export function eventParameters({ doc, secret }: LogEntry): unknown[] {
  return [
    doc.runId,
    doc.sequence,
    doc.type,
    doc.nodeId ?? null,
    Date.parse(doc.timestamp),
    JSON.stringify(doc.payload),
    secret === undefined ? null : JSON.stringify(secret),
    doc.causationId ?? null,
    doc.schemaVersion ?? null,
    doc.engineVersion ?? null,
  ];
}

export function toRunRecord(row: RunRow): RunRecord {
  return {
    runId: row.run_id,
    tenantId: row.tenant_id,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    definitionDigest: row.definition_digest,
    scopeId: row.scope_id,
    engineVersion: row.engine_version,
    eventLogSchemaVersion: row.event_log_schema_version,
    inputs: JSON.parse(row.inputs) as JsonObject,
    options: JSON.parse(row.options) as RunOptions,
    test: row.test === 1,
    createdAt: row.created_at,
    status: row.status,
    currentNodeId: row.current_node_id,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    error: row.error === null ? null : (JSON.parse(row.error) as RunError),
    wakeAt: row.wake_at,
    nextSequence: row.next_sequence,
    owner: row.owner,
  };
}

/** Rebuilds the document as it was appended; keys always come in this order. */
export function toEventDoc(row: EventRow): RunEventDoc {
  const doc: RunEventDoc = {
    eventId: eventIdOf(row.run_id, row.sequence),
    runId: row.run_id,
    type: row.type as RunEventType,
    payload: JSON.parse(row.payload) as JsonValue,
    timestamp: new Date(row.at).toISOString(),
    sequence: row.sequence,
  };
  if (row.node_id !== null) doc.nodeId = row.node_id;
  if (row.schema_version !== null) doc.schemaVersion = row.schema_version;
  if (row.engine_version !== null) doc.engineVersion = row.engine_version;
  if (row.causation_id !== null) doc.causationId = row.causation_id;
  return doc;
}

export function toLogEntry(row: EventRow): LogEntry {
  const doc = toEventDoc(row);
  return row.secret === null ? { doc } : { doc, secret: JSON.parse(row.secret) as JsonValue };
}
