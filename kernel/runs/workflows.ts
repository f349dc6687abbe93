/** Service `workflows`: registered definitions, every version kept, found by id or by digest. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import type { JsonValue } from '../../schemas/json.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import { compilePlan, type Plan, type PlanEnvironment } from '../engine/plan.ts';
import { validateDefinition } from '../engine/validate.ts';
import { WoprError } from '../errors.ts';
import type { Database, Migration, Statement } from '../log/database.types.ts';
import type { StoredWorkflow, WorkflowService } from './types.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-workflows',
    up: [
      `create table workflow_definitions (
         digest text primary key, definition text not null) without rowid`,
      `create table workflow_versions (
         ordinal integer primary key autoincrement, tenant_id text not null, workflow_id text not null, version text not null,
         digest text not null, registered_at text not null, unique (tenant_id, workflow_id, version))`,
    ],
  },
];

/** Stored instead of null, so that uniqueness holds for shared workflows too. */
const SHARED = '';
const COLUMNS = `v.tenant_id, v.workflow_id, v.version, v.digest, v.registered_at, d.definition`;
const FROM = `from workflow_versions v join workflow_definitions d on d.digest = v.digest`;
const NEWEST: Statement = {
  sql: `select ${COLUMNS} ${FROM} where v.workflow_id = ? and v.tenant_id in (?, '') order by v.tenant_id desc, v.ordinal desc limit 1`,
};
const VERSION: Statement = {
  sql: `select ${COLUMNS} ${FROM} where v.workflow_id = ? and v.tenant_id in (?, '') and v.version = ? order by v.tenant_id desc limit 1`,
};
const BY_DIGEST: Statement = { sql: `select ${COLUMNS} ${FROM} where v.digest = ? limit 1` };
const ALL: Statement = {
  sql: `select ${COLUMNS}, max(v.ordinal) ${FROM} where v.tenant_id in (?, '') group by v.tenant_id, v.workflow_id order by v.workflow_id, v.tenant_id`,
};
const EXISTING: Statement = {
  sql: `select digest, registered_at from workflow_versions where tenant_id = ? and workflow_id = ? and version = ?`,
};
const PUT_DEFINITION: Statement = {
  sql: `insert or ignore into workflow_definitions (digest, definition) values (?, ?)`,
};
const PUT_VERSION: Statement = {
  sql: `insert into workflow_versions (tenant_id, workflow_id, version, digest, registered_at) values (?, ?, ?, ?, ?)`,
};

interface Row {
  readonly tenant_id: string;
  readonly workflow_id: string;
  readonly version: string;
  readonly digest: string;
  readonly registered_at: string;
  readonly definition: string;
}

export class Workflows implements WorkflowService {
  readonly #database: Database;
  readonly #environment: () => PlanEnvironment;
  readonly #newest = new LRUCache<string, StoredWorkflow>({ max: 1000 });
  readonly #byDigest = new LRUCache<string, StoredWorkflow>({ max: 1000 });
  readonly #plans = new LRUCache<string, Plan>({ max: 500 });

  constructor(database: Database, environment: () => PlanEnvironment) {
    database.migrate('workflows', MIGRATIONS);
    this.#database = database;
    this.#environment = environment;
  }

  validate(definition: unknown): ReturnType<WorkflowService['validate']> {
    return validateDefinition(definition, this.#environment());
  }

  async register(definition: unknown, tenantId: string | null): ReturnType<WorkflowService['register']> {
    const { errors, warnings } = this.validate(definition);
    if (errors.length > 0) {
      const [first] = errors;
      throw new WoprError(
        'validation_error',
        `The workflow definition is not valid: ${first?.path ?? ''} ${first?.message ?? ''}`.trim(),
        {
          details: { errors: errors.map((finding) => ({ ...finding })) },
        },
      );
    }
    const valid = definition as WorkflowDefinition;
    const digest = definitionDigest(valid);
    const owner = tenantId ?? SHARED;
    const now = new Date().toISOString();
    const outcome = await this.#database.write((tx) => {
      const existing = tx.get<{ digest: string; registered_at: string }>(EXISTING, [
        owner,
        valid.id,
        valid.version,
      ]);
      if (existing) return existing;
      tx.run(PUT_DEFINITION, [digest, JSON.stringify(valid)]);
      tx.run(PUT_VERSION, [owner, valid.id, valid.version, digest, now]);
      return undefined;
    });
    if (outcome && outcome.digest !== digest)
      throw new WoprError(
        'conflict',
        `Version ${valid.version} of workflow "${valid.id}" is already registered with other content.`,
        {
          details: { workflowId: valid.id, version: valid.version, registeredDigest: outcome.digest },
        },
      );
    this.forgetLookups();
    const workflow: StoredWorkflow = {
      workflowId: valid.id,
      version: valid.version,
      digest,
      tenantId,
      registeredAt: outcome?.registered_at ?? now,
      definition: valid,
    };
    return { workflow, created: outcome === undefined, warnings };
  }

  get(workflowId: string, tenantId: string | null, version?: string): StoredWorkflow | undefined {
    const owner = tenantId ?? SHARED;
    if (version !== undefined)
      return this.#stored(this.#database.get<Row>(VERSION, [workflowId, owner, version]));
    const key = `${owner}\n${workflowId}`;
    let found = this.#newest.get(key);
    if (!found) {
      found = this.#stored(this.#database.get<Row>(NEWEST, [workflowId, owner]));
      if (found) this.#newest.set(key, found);
    }
    return found;
  }

  byDigest(digest: string): StoredWorkflow | undefined {
    return this.#byDigest.get(digest) ?? this.#stored(this.#database.get<Row>(BY_DIGEST, [digest]));
  }

  list(tenantId: string | null): readonly StoredWorkflow[] {
    const newest = new Map<string, StoredWorkflow>();
    // Shared rows sort first, so that a tenant's own definition replaces the shared one of the same id.
    for (const row of this.#database.all<Row>(ALL, [tenantId ?? SHARED])) {
      const workflow = this.#stored(row);
      if (workflow) newest.set(workflow.workflowId, workflow);
    }
    return [...newest.values()];
  }

  /** The compiled form of a stored definition; throws `not_found` when the store has none of this digest. */
  plan(digest: string): Plan {
    let plan = this.#plans.get(digest);
    if (!plan) {
      const workflow = this.byDigest(digest);
      if (!workflow)
        throw new WoprError('not_found', `No workflow definition with digest ${digest} is stored.`);
      plan = compilePlan(workflow.definition, this.#environment());
      this.#plans.set(digest, plan);
    }
    return plan;
  }

  /** Another process may have registered something. */
  forgetLookups(): void {
    this.#newest.clear();
  }

  /** Node types or capabilities changed. */
  forgetPlans(): void {
    this.#plans.clear();
  }

  #stored(row: Row | undefined): StoredWorkflow | undefined {
    if (!row) return undefined;
    const known = this.#byDigest.get(row.digest);
    const workflow: StoredWorkflow = {
      workflowId: row.workflow_id,
      version: row.version,
      digest: row.digest,
      tenantId: row.tenant_id === SHARED ? null : row.tenant_id,
      registeredAt: row.registered_at,
      definition: known?.definition ?? (JSON.parse(row.definition) as WorkflowDefinition),
    };
    this.#byDigest.set(row.digest, workflow);
    return workflow;
  }
}

/** `sha256:<hex>` over the definition with object keys sorted, so that formatting and key order do not matter. */
export function definitionDigest(definition: WorkflowDefinition): string {
  return `sha256:${createHash('sha256')
    .update(canonicalJson(definition as unknown as JsonValue))
    .digest('hex')}`;
}
