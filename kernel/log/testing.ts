/** Builders for the tests of the log: stores on temporary files, runs and events that are valid and small. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { RunEventType } from '../../schemas/event-types.ts';
import type { JsonValue } from '../../schemas/json.ts';
import { eventIdOf, openStore, type Store, type StoreOptions } from './index.ts';
import type { AppendRequest, CreateRunRequest, LogEntry, RunHeader, RunProjection } from './types.ts';

export const silent = pino({ level: 'silent' });

/** A folder of its own and stores in it; `remove` closes and deletes everything. */
export function temporaryStores() {
  const folder = mkdtempSync(join(tmpdir(), 'wopr-log-'));
  const path = join(folder, 'wopr.db');
  const open = new Set<Store>();
  return {
    path,
    open(options: Partial<StoreOptions> = {}): Store {
      const store = openStore({ path, logger: silent, ...options });
      open.add(store);
      return store;
    },
    async close(store: Store): Promise<void> {
      open.delete(store);
      await store.close();
    },
    async remove(): Promise<void> {
      for (const store of open) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const AT = '2026-01-02T03:04:05.678Z';

export function header(runId: string, overrides: Partial<RunHeader> = {}): RunHeader {
  return {
    runId,
    tenantId: 'acme',
    workflowId: 'demo',
    workflowVersion: '1.0',
    definitionDigest: 'sha256:00',
    scopeId: null,
    engineVersion: 1,
    eventLogSchemaVersion: 2,
    inputs: { size: 3 },
    options: {},
    test: false,
    createdAt: AT,
    ...overrides,
  };
}

export function projection(overrides: Partial<RunProjection> = {}): RunProjection {
  return {
    status: 'running',
    currentNodeId: null,
    startedAt: AT,
    completedAt: null,
    error: null,
    wakeAt: null,
    ...overrides,
  };
}

export const completed = projection({ status: 'completed', completedAt: AT });

export function entry(
  runId: string,
  sequence: number,
  type: RunEventType = 'log.appended',
  payload?: JsonValue,
): LogEntry {
  const doc = {
    eventId: eventIdOf(runId, sequence),
    runId,
    type,
    payload: payload ?? { level: 'info', message: `number ${sequence}` },
    timestamp: AT,
    sequence,
    schemaVersion: 1,
    engineVersion: '1',
  };
  return { doc };
}

/** Events `from`..`to` (exclusive). */
export const entries = (runId: string, from: number, to: number): LogEntry[] =>
  Array.from({ length: to - from }, (_, index) => entry(runId, from + index));

export function newRun(runId: string, overrides: Partial<CreateRunRequest> = {}): CreateRunRequest {
  return {
    runId,
    header: header(runId),
    entries: [entry(runId, 0, 'run.started', { workflowId: 'demo' })],
    projection: projection(),
    ...overrides,
  };
}

/** The append that ends a run at `sequence`. */
export function ending(runId: string, sequence: number): AppendRequest {
  return { runId, entries: [entry(runId, sequence, 'run.completed', {})], projection: completed };
}
