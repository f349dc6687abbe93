/** The event log on SQLite: creates runs, appends events under a claim, reads them, tells followers and taps after the commit. */
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { isTerminalStatus } from '../../schemas/run-status.ts';
import { WoprError } from '../errors.ts';
import type { Database, WriteTx } from './database.types.ts';
import { Followers } from './followers.ts';
import {
  eventIdOf,
  eventParameters,
  projectionParameters,
  runParameters,
  toEventDoc,
  toLogEntry,
  toRunRecord,
} from './rows.ts';
import { isConstraintViolation } from './sqlite.ts';
import { EVENTS_PER_INSERT, type LogStatements } from './statements.ts';
import type { EventRow, LogTables, RunRow } from './tables.ts';
import type {
  AppendRequest,
  Checkpoint,
  CreateRunRequest,
  EventLog,
  LogEntry,
  RunEventDoc,
  RunFilter,
  RunRecord,
  RunStatus,
  Signal,
} from './types.ts';

export interface EventLogOptions {
  readonly database: Database;
  readonly statements: LogStatements;
  readonly instanceId: string;
  readonly claimTtlMs: number;
  readonly logger: Logger;
  readonly now: () => number;
  /** Development mode: problems of an event, or null. Events that have any are refused with `internal_error`. */
  readonly checkEvents?: (doc: RunEventDoc) => readonly unknown[] | null;
}

/** Of `2026-01-02T03:04:05.678Z`, the form `Date.toISOString` gives. */
const ISO_MS_LENGTH = 24;

type Tap = (runId: string, events: readonly RunEventDoc[]) => void;

const clamp = (limit: number, max: number): number => Math.min(Math.max(Math.trunc(limit), 1), max);

export class SqliteEventLog implements EventLog {
  readonly #options: EventLogOptions;
  readonly #db: Database;
  readonly #sql: LogStatements;
  readonly #followers: Followers;
  readonly #taps = new Set<Tap>();

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#db = options.database;
    this.#sql = options.statements;
    this.#followers = new Followers({
      read: (runId, from, limit) => this.read(runId, from, limit),
      position: (runId) => this.#position(runId),
    });
  }

  async createRun(request: CreateRunRequest): Promise<void> {
    const { header, projection, entries, dedup } = request;
    if (entries.length > 0) this.#check(header.runId, entries, 0);
    const active = !isTerminalStatus(projection.status);
    // Runs of test keys are a world of their own (HTTP §7.3).
    const dedupTenant = header.test ? `test/${header.tenantId}` : header.tenantId;
    const run = runParameters(
      header,
      projection,
      request.release ? null : this.#options.instanceId,
      entries.length,
    );
    const rows = entries.map(eventParameters);
    const tags = new Set(header.options.tags);
    const job = (tx: WriteTx): void => {
      if (dedup && header.scopeId !== null) this.#refuseDuplicate(tx, dedupTenant, header.scopeId);
      tx.run(this.#sql.insertRun, run);
      this.#insertEvents(tx, rows);
      for (const tag of tags) tx.run(this.#sql.insertTag, [header.runId, tag, header.tenantId]);
      if (dedup && active && header.scopeId !== null)
        tx.run(this.#sql.putDedupClaim, [dedupTenant, header.scopeId, header.runId]);
      this.#attach(tx, request);
    };
    try {
      await this.#db.write(job);
    } catch (error) {
      if (!isConstraintViolation(error) || !this.#position(header.runId)) throw error;
      throw new WoprError('conflict', `Run ${header.runId} already exists.`, { cause: error });
    }
    this.#publish(header.runId, entries);
  }

  async append(request: AppendRequest): Promise<void> {
    const { runId, projection, entries } = request;
    const first = entries[0]?.doc.sequence;
    if (first !== undefined) this.#check(runId, entries, first);
    const me = this.#options.instanceId;
    const values = projectionParameters(projection, request.release ? null : me);
    const rows = entries.map(eventParameters);
    const terminal = isTerminalStatus(projection.status);
    await this.#db.write((tx) => {
      const { changes } =
        first === undefined
          ? tx.run(this.#sql.projectRun, [...values, runId, me])
          : tx.run(this.#sql.advanceRun, [...values, first + entries.length, runId, me, first]);
      // Nothing was changed, so the job fails without a rollback.
      if (changes === 0) throw new WoprError('claim_lost', `This host no longer holds run ${runId}.`);
      this.#insertEvents(tx, rows);
      for (const signalId of request.consumedSignals ?? []) tx.run(this.#sql.deleteSignal, [signalId, runId]);
      if (terminal) {
        tx.run(this.#sql.deleteDedupClaim, [runId]);
        tx.run(this.#sql.deleteSignals, [runId]);
      }
      this.#attach(tx, request);
    });
    this.#publish(runId, entries);
  }

  run(runId: string): RunRecord | undefined {
    const row = this.#db.get<RunRow>(this.#sql.run, [runId]);
    return row && toRunRecord(row);
  }

  runs(filter: RunFilter): RunRecord[] {
    const { tenantId, status, workflowId, tag, before } = filter;
    let query = (this.#db.kysely as Kysely<LogTables>)
      .selectFrom('runs')
      .selectAll('runs')
      .orderBy('runs.run_id', 'desc')
      .limit(clamp(filter.limit ?? 50, 200));
    if (tenantId !== undefined) query = query.where('runs.tenant_id', '=', tenantId);
    if (workflowId !== undefined) query = query.where('runs.workflow_id', '=', workflowId);
    if (before !== undefined) query = query.where('runs.run_id', '<', before);
    if (status !== undefined) {
      query = query.where('runs.status', 'in', status);
      // Says what the list already implies, in the words of the partial index.
      if (!status.includes('completed')) query = query.where(sql<boolean>`runs.status <> 'completed'`);
    }
    if (tag !== undefined) {
      // Walks the tag, not the runs: ordered by its own index.
      let tagged = query
        .innerJoin('run_tags', 'run_tags.run_id', 'runs.run_id')
        .where('run_tags.tag', '=', tag)
        .clearOrderBy()
        .orderBy('run_tags.run_id', 'desc');
      if (tenantId !== undefined) tagged = tagged.where('run_tags.tenant_id', '=', tenantId);
      if (before !== undefined) tagged = tagged.where('run_tags.run_id', '<', before);
      return this.#db.all<RunRow>(tagged.compile()).map(toRunRecord);
    }
    return this.#db.all<RunRow>(query.compile()).map(toRunRecord);
  }

  checkpoint(runId: string): Checkpoint | undefined {
    const row = this.#db.get<{ sequence: number; state: string }>(this.#sql.checkpoint, [runId]);
    return row && { sequence: row.sequence, state: JSON.parse(row.state) as JsonValue };
  }

  read(runId: string, fromSequence = 0, limit = 100): RunEventDoc[] {
    return this.#rows(runId, fromSequence, limit).map(toEventDoc);
  }

  readEntries(runId: string, fromSequence = 0, limit = 100): LogEntry[] {
    return this.#rows(runId, fromSequence, limit).map(toLogEntry);
  }

  latest(runId: string): RunEventDoc | undefined {
    const row = this.#db.get<EventRow>(this.#sql.latestEvent, [runId]);
    return row && toEventDoc(row);
  }

  follow(runId: string, fromSequence: number, signal: AbortSignal): AsyncIterable<readonly RunEventDoc[]> {
    return this.#followers.follow(runId, fromSequence, signal);
  }

  tap(listener: Tap): () => void {
    this.#taps.add(listener);
    return () => this.#taps.delete(listener);
  }

  /** Another process may have appended: lets followers look into the log. */
  wakeFollowers(): void {
    this.#followers.wakeChanged();
  }

  /** Also rejects with `not_found` (no such run) or `conflict` (the run has ended, nobody would read the signal). */
  signal(runId: string, kind: string, payload: JsonObject): Promise<number> {
    const values = [runId, kind, JSON.stringify(payload), new Date(this.#options.now()).toISOString(), runId];
    return this.#db.write((tx) => {
      const { changes, lastInsertRowid } = tx.run(this.#sql.insertSignal, values);
      if (changes === 1) return lastInsertRowid;
      if (tx.get(this.#sql.runPosition, [runId])) throw new WoprError('conflict', `Run ${runId} has ended.`);
      throw new WoprError('not_found', `No run ${runId}.`);
    });
  }

  signals(runId: string): Signal[] {
    return this.#db.all<LogTables['signals']>(this.#sql.signals, [runId]).map((row) => ({
      signalId: row.signal_id,
      runId: row.run_id,
      kind: row.kind,
      payload: JSON.parse(row.payload) as JsonObject,
      createdAt: row.created_at,
    }));
  }

  #rows(runId: string, fromSequence: number, limit: number): EventRow[] {
    return this.#db.all<EventRow>(this.#sql.events, [runId, fromSequence, clamp(limit, 1000)]);
  }

  #position(runId: string): { readonly terminal: boolean; readonly nextSequence: number } | undefined {
    const row = this.#db.get<{ status: RunStatus; next_sequence: number }>(this.#sql.runPosition, [runId]);
    return row && { terminal: isTerminalStatus(row.status), nextSequence: row.next_sequence };
  }

  /** Refuses what the log could not give back as it was (it stores no ids, and times as milliseconds), and invalid events when checked. */
  #check(runId: string, entries: readonly LogEntry[], first: number): void {
    for (const [index, { doc }] of entries.entries()) {
      const sequence = first + index;
      if (doc.runId !== runId || doc.sequence !== sequence || doc.eventId !== eventIdOf(runId, sequence))
        throw new WoprError(
          'internal_error',
          `Event ${doc.eventId} cannot be number ${sequence} of run ${runId}.`,
        );
      if (doc.timestamp.length !== ISO_MS_LENGTH || !doc.timestamp.endsWith('Z'))
        throw new WoprError('internal_error', `Event ${doc.eventId} needs a UTC time with milliseconds.`);
      const problems = this.#options.checkEvents?.(doc);
      if (problems)
        throw new WoprError('internal_error', `Invalid ${doc.type} event in run ${runId}.`, {
          details: { problems: JSON.parse(JSON.stringify(problems)) as JsonValue },
        });
    }
  }

  #insertEvents(tx: WriteTx, rows: readonly unknown[][]): void {
    for (let start = 0; start < rows.length; start += EVENTS_PER_INSERT) {
      const chunk = rows.slice(start, start + EVENTS_PER_INSERT);
      const statement = this.#sql.insertEvents[chunk.length];
      if (statement) tx.run(statement, chunk.flat());
    }
  }

  #attach(tx: WriteTx, { runId, checkpoint }: AppendRequest): void {
    if (checkpoint)
      tx.run(this.#sql.putCheckpoint, [runId, checkpoint.sequence, JSON.stringify(checkpoint.state)]);
  }

  /** HTTP §9: a claim on a scope counts until its run ends or the lease of the run's owner has expired. */
  #refuseDuplicate(tx: WriteTx, tenantId: string, scopeId: string): void {
    const holder = tx.get<{ run_id: string; owner: string | null; expires_at: number | null }>(
      this.#sql.dedupHolder,
      [tenantId, scopeId],
    );
    if (!holder) return;
    // A parked run has no lease that could lapse; it stays active, and any time to retry is a guess.
    const expiresAt =
      holder.owner === null ? this.#options.now() + this.#options.claimTtlMs : (holder.expires_at ?? 0);
    const remaining = expiresAt - this.#options.now();
    if (remaining <= 0) return;
    const retryAfter = Math.max(1, Math.ceil(remaining / 1000));
    throw new WoprError('run_already_active', `Run ${holder.run_id} is active for this tenant and scope.`, {
      details: { activeRunId: holder.run_id, activeHost: 'cloud', retryAfter },
      retryAfterSeconds: retryAfter,
    });
  }

  #publish(runId: string, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    const docs = entries.map((entry) => entry.doc);
    this.#followers.publish(runId, docs);
    for (const tap of this.#taps) {
      try {
        tap(runId, docs);
      } catch (error) {
        this.#options.logger.error({ err: error, runId }, 'an event tap threw');
      }
    }
  }
}
