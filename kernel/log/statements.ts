/** The log's hot statements, compiled once through Kysely; each names the parameters it takes, in order. */
import { type Compilable, type Kysely, sql } from 'kysely';
import type { Statement } from './database.types.ts';
import { EVENT_COLUMNS, RUN_COLUMNS } from './rows.ts';
import type { EventRow, LogTables, RunRow } from './tables.ts';

/** Most events one insert statement takes; longer batches use several. */
export const EVENTS_PER_INSERT = 8;

/** Stands for a parameter given per call: Kysely turns every value into a placeholder, whatever it is. */
const given = null as never;

const compile = (query: Compilable): Statement => ({ sql: query.compile().sql });

const isActive = sql<boolean>`status NOT IN ('completed', 'failed', 'cancelled')`;

export function compileStatements(kysely: Kysely<unknown>) {
  const db = kysely as Kysely<LogTables>;
  const row = <Row>(columns: readonly (keyof Row)[]) =>
    Object.fromEntries(columns.map((column) => [column, given]));
  const eventRow = row<EventRow>(EVENT_COLUMNS) as unknown as EventRow;
  const projection = {
    status: given,
    current_node_id: given,
    started_at: given,
    completed_at: given,
    error: given,
    wake_at: given,
    owner: given,
  };
  const events = db.selectFrom('events').selectAll().where('run_id', '=', given);
  return {
    /** RUN_COLUMNS. */
    insertRun: compile(db.insertInto('runs').values(row<RunRow>(RUN_COLUMNS) as unknown as RunRow)),
    /** Index n inserts n events: n times EVENT_COLUMNS. */
    insertEvents: Array.from({ length: EVENTS_PER_INSERT + 1 }, (_, count) =>
      compile(db.insertInto('events').values(Array<EventRow>(count).fill(eventRow))),
    ),
    /** Projection, next sequence; run, owner, sequence the run must be at. */
    advanceRun: compile(
      db
        .updateTable('runs')
        .set({ ...projection, next_sequence: given })
        .where('run_id', '=', given)
        .where('owner', '=', given)
        .where('next_sequence', '=', given),
    ),
    /** Projection; run, owner. */
    projectRun: compile(
      db.updateTable('runs').set(projection).where('run_id', '=', given).where('owner', '=', given),
    ),
    /** Run, sequence, state. */
    putCheckpoint: compile(
      db
        .insertInto('checkpoints')
        .values({ run_id: given, sequence: given, state: given })
        .onConflict((conflict) =>
          conflict.column('run_id').doUpdateSet({
            sequence: (expression) => expression.ref('excluded.sequence'),
            state: (expression) => expression.ref('excluded.state'),
          }),
        ),
    ),
    /** Run. */
    checkpoint: compile(
      db.selectFrom('checkpoints').select(['sequence', 'state']).where('run_id', '=', given),
    ),
    /** Run, tag, tenant. */
    insertTag: compile(db.insertInto('run_tags').values({ run_id: given, tag: given, tenant_id: given })),
    /** Tenant, scope. */
    dedupHolder: compile(
      db
        .selectFrom('dedup_claims')
        .innerJoin('runs', 'runs.run_id', 'dedup_claims.run_id')
        .leftJoin('instances', 'instances.instance_id', 'runs.owner')
        .select(['runs.run_id', 'runs.owner', 'instances.expires_at'])
        .where('dedup_claims.tenant_id', '=', given)
        .where('dedup_claims.scope_id', '=', given),
    ),
    /** Tenant, scope, run. */
    putDedupClaim: compile(
      db
        .insertInto('dedup_claims')
        .values({ tenant_id: given, scope_id: given, run_id: given })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'scope_id']).doUpdateSet({
            run_id: (expression) => expression.ref('excluded.run_id'),
          }),
        ),
    ),
    /** Run. */
    deleteDedupClaim: compile(db.deleteFrom('dedup_claims').where('run_id', '=', given)),
    /** Run. */
    run: compile(db.selectFrom('runs').selectAll().where('run_id', '=', given)),
    /** Run. */
    runPosition: compile(
      db.selectFrom('runs').select(['status', 'next_sequence']).where('run_id', '=', given),
    ),
    /** Run, first sequence, limit. */
    events: compile(events.where('sequence', '>=', given).orderBy('sequence').limit(given)),
    /** Run. */
    latestEvent: compile(events.orderBy('sequence', 'desc').limit(sql.lit(1))),
    /** Run, kind, payload, time, run. Inserts nothing when the run does not exist or has ended. */
    insertSignal: compile(
      db
        .insertInto('signals')
        .columns(['run_id', 'kind', 'payload', 'created_at'])
        .expression(
          sql`SELECT ${given}, ${given}, ${given}, ${given} WHERE EXISTS (SELECT 1 FROM runs WHERE run_id = ${given} AND ${isActive})` as never,
        ),
    ),
    /** Run. */
    signals: compile(db.selectFrom('signals').selectAll().where('run_id', '=', given).orderBy('signal_id')),
    /** Signal, run. */
    deleteSignal: compile(
      db.deleteFrom('signals').where('signal_id', '=', given).where('run_id', '=', given),
    ),
    /** Run. */
    deleteSignals: compile(db.deleteFrom('signals').where('run_id', '=', given)),

    /** Instance, expiry, start. */
    renewLease: compile(
      db
        .insertInto('instances')
        .values({ instance_id: given, expires_at: given, started_at: given })
        .onConflict((conflict) =>
          conflict
            .column('instance_id')
            .doUpdateSet({ expires_at: (expression) => expression.ref('excluded.expires_at') }),
        ),
    ),
    /** Instance. */
    endLease: compile(db.deleteFrom('instances').where('instance_id', '=', given)),
    /** Time: drops leases that ended before it and that no run refers to. */
    forgetLeases: compile(
      db
        .deleteFrom('instances')
        .where('expires_at', '<', given)
        .where(sql<boolean>`NOT EXISTS (SELECT 1 FROM runs WHERE runs.owner = instances.instance_id)`),
    ),
    /** Time to wake at, instance. */
    releaseAll: compile(
      db.updateTable('runs').set({ owner: sql`NULL`, wake_at: given }).where('owner', '=', given),
    ),
    /** Run. */
    owner: compile(db.selectFrom('runs').select('owner').where('run_id', '=', given)),
    /** New owner; run, new owner, now. */
    takeRun: compile(
      db
        .updateTable('runs')
        .set({ owner: given })
        .where('run_id', '=', given)
        .where(isActive)
        .where(
          sql<boolean>`(owner IS NULL OR owner = ${given}
            OR owner NOT IN (SELECT instance_id FROM instances WHERE expires_at > ${given}))`,
        ),
    ),
    /** Run. */
    leaseExpiry: compile(
      db
        .selectFrom('runs')
        .innerJoin('instances', 'instances.instance_id', 'runs.owner')
        .select('instances.expires_at')
        .where('runs.run_id', '=', given),
    ),
    /** Now, limit. */
    dueRuns: compile(
      db
        .selectFrom('runs')
        .select('run_id')
        .where('owner', 'is', null)
        .where('wake_at', '<=', given)
        .orderBy('wake_at')
        .limit(given),
    ),
    nextWake: compile(
      db
        .selectFrom('runs')
        .select('wake_at')
        .where('owner', 'is', null)
        .where('wake_at', 'is not', null)
        .orderBy('wake_at')
        .limit(sql.lit(1)),
    ),
    /** Instance that asks, now, limit. The owners are walked one index step each, not one per run they own. */
    orphanedRuns: compile({
      compile: () =>
        sql`
      WITH RECURSIVE owners (owner) AS (
        SELECT min(owner) FROM runs WHERE owner IS NOT NULL
        UNION ALL
        SELECT (SELECT min(runs.owner) FROM runs WHERE runs.owner > owners.owner) FROM owners WHERE owners.owner IS NOT NULL
      )
      SELECT run_id FROM runs WHERE owner IN (
        SELECT owner FROM owners WHERE owner <> ${given}
        EXCEPT SELECT instance_id FROM instances WHERE expires_at > ${given}
      ) LIMIT ${given}`.compile(db),
    }),
    /** Limit. */
    strandedRuns: compile(
      db
        .selectFrom('runs')
        .select('run_id')
        .where('owner', 'is', null)
        .where('wake_at', 'is', null)
        .where(sql<boolean>`status IN ('pending', 'running')`)
        .orderBy('run_id')
        .limit(given),
    ),
    /** Limit. */
    unownedSignalled: compile(
      db
        .selectFrom('signals')
        .innerJoin('runs', 'runs.run_id', 'signals.run_id')
        .select('signals.run_id')
        .distinct()
        .where('runs.owner', 'is', null)
        .where(isActive)
        .limit(given),
    ),
    /** Instance, limit. */
    ownedSignalled: compile(
      db
        .selectFrom('signals')
        .innerJoin('runs', 'runs.run_id', 'signals.run_id')
        .select('signals.run_id')
        .distinct()
        .where('runs.owner', '=', given)
        .limit(given),
    ),

    /** Run to continue after, limit. */
    candidates: compile(
      db
        .selectFrom('runs')
        .select(['run_id', 'tenant_id', 'status', 'created_at', 'completed_at'])
        .where('run_id', '>', given)
        .orderBy('run_id')
        .limit(given),
    ),
    /** Run. */
    deleteEvents: compile(db.deleteFrom('events').where('run_id', '=', given)),
    /** Run. */
    deleteRun: compile(db.deleteFrom('runs').where('run_id', '=', given)),
    /** Run, tenant, time. */
    putTombstone: compile(
      db.replaceInto('expired_runs').values({ run_id: given, tenant_id: given, expired_at: given }),
    ),
    /** Run. */
    tombstone: compile(db.selectFrom('expired_runs').selectAll().where('run_id', '=', given)),
  };
}

export type LogStatements = ReturnType<typeof compileStatements>;
