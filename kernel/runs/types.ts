/** What transports (HTTP, CLI) may do with runs and workflows; implemented by the kernel, offered to plugins as services. */
import type { JsonObject } from '../../schemas/json.ts';
import type { RunSnapshot } from '../../schemas/run-snapshot.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { RunEventDoc, RunFilter, RunHeader, RunOptions, RunRecord, RunStatus } from '../log/types.ts';

export interface CreateRun {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly inputs: JsonObject;
  readonly scopeId?: string;
  readonly options: RunOptions;
  readonly dedup?: boolean;
  /** Made with a test key. */
  readonly test?: boolean;
  readonly forcedEngineVersion?: number;
  /** Reserved id: when the tenant already has this run, it is returned instead of created (idempotency across crashes). */
  readonly runId?: string;
  readonly transport: 'rest' | 'mcp' | 'a2a' | 'ui';
}

/** Service `runs`. Every method that takes a `tenantId` treats a foreign run as absent (`not_found`). */
export interface RunService {
  /**
   * Validates inputs and options, stores the run durably and starts it. Errors: `validation_error` (unknown workflow, bad inputs or
   * options), `run_already_active`, `service_unavailable` (too many live runs, stopping).
   */
  create(request: CreateRun): Promise<{ readonly runId: string; readonly status: RunStatus }>;
  get(runId: string, tenantId?: string): RunRecord;
  /** A run that retention removed: whose it was and when; undefined for runs that exist or never did. */
  expired(runId: string): { readonly tenantId: string; readonly expiredAt: string } | undefined;
  /** What was fixed at creation, whoever asks; from memory for live and recently finished runs. For deciding who may see the run. */
  header(runId: string): RunHeader;
  snapshot(runId: string, tenantId?: string): RunSnapshot;
  /** The snapshot as JSON text; cached for finished runs, so prefer it over `snapshot` when only serialising. */
  snapshotJson(runId: string, tenantId?: string): string;
  list(filter: RunFilter): RunRecord[];
  read(runId: string, tenantId: string | undefined, fromSequence?: number, limit?: number): RunEventDoc[];
  follow(
    runId: string,
    tenantId: string | undefined,
    fromSequence: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly RunEventDoc[]>;
  /** Durable; resolves with `cancelling`, or the terminal status once it is in the log (waits up to `waitMs`, default 1000). */
  cancel(
    runId: string,
    tenantId: string | undefined,
    by: string,
    reason?: string,
    waitMs?: number,
  ): Promise<RunStatus | 'cancelling'>;
  stats(): { readonly live: number; readonly maxLive: number };
}

export interface StoredWorkflow {
  readonly workflowId: string;
  readonly version: string;
  /** `sha256:<hex>` over the canonical definition. */
  readonly digest: string;
  /** null = visible to every tenant (files and fixtures). */
  readonly tenantId: string | null;
  readonly registeredAt: string;
  readonly definition: WorkflowDefinition;
}

export interface Finding {
  /** JSON pointer into the definition. */
  readonly path: string;
  readonly nodeId?: string;
  readonly message: string;
}

/** Service `workflows`. */
export interface WorkflowService {
  /** Schema, graph, node types and node configs; throws nothing. */
  validate(definition: unknown): {
    readonly errors: readonly Finding[];
    readonly warnings: readonly Finding[];
  };
  /**
   * Stores a version. Idempotent for an identical definition (`created: false`). Errors: `validation_error` with `details.errors`,
   * `conflict` when the same version was registered with other content.
   */
  register(
    definition: unknown,
    tenantId: string | null,
  ): Promise<{
    readonly workflow: StoredWorkflow;
    readonly created: boolean;
    readonly warnings: readonly Finding[];
  }>;
  /** Newest registered version visible to the tenant (its own before shared ones), or a given version. */
  get(workflowId: string, tenantId: string | null, version?: string): StoredWorkflow | undefined;
  byDigest(digest: string): StoredWorkflow | undefined;
  /** Newest version of each visible workflow, ordered by id. */
  list(tenantId: string | null): readonly StoredWorkflow[];
}
