/** A host in this process: the kernel's services on the data folder, no HTTP in between. */
import type { Kernel } from '../../../kernel/kernel.ts';
import type { RunEventDoc, RunRecord, RunStatus } from '../../../kernel/log/types.ts';
import type { RunSnapshot } from '../../../schemas/run-snapshot.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';
import type { HostClient, Registered, RunQuery, RunSummary, StartRun, WorkflowSummary } from './client.ts';

const PAGE = 1000;
const CANCEL_WAIT_MS = 5_000;

export class EmbeddedHost implements HostClient {
  readonly address: string;
  readonly isLocal = true;
  readonly #kernel: Kernel;
  readonly #tenantId: string;

  /** Takes over a started kernel and stops it on `close`. Runs are created for, and limited to, `tenantId`. */
  constructor(kernel: Kernel, address: string, tenantId: string) {
    this.#kernel = kernel;
    this.address = address;
    this.#tenantId = tenantId;
  }

  async register(definition: unknown): Promise<Registered> {
    const { workflow, created, warnings } = await this.#kernel.services.workflows.register(
      definition,
      this.#tenantId,
    );
    const { workflowId, version, digest } = workflow;
    return { workflowId, version, digest, created, warnings };
  }

  async workflows(): Promise<readonly WorkflowSummary[]> {
    return this.#kernel.services.workflows
      .list(this.#tenantId)
      .map(({ workflowId, version, digest, registeredAt, definition }) => ({
        workflowId,
        version,
        digest,
        registeredAt,
        name: definition.name,
      }));
  }

  async workflow(workflowId: string): Promise<WorkflowDefinition | undefined> {
    return this.#kernel.services.workflows.get(workflowId, this.#tenantId)?.definition;
  }

  createRun({ workflowId, inputs, ...options }: StartRun): Promise<{ runId: string; status: string }> {
    return this.#kernel.services.runs.create({
      tenantId: this.#tenantId,
      workflowId,
      inputs,
      options,
      transport: 'ui',
    });
  }

  async snapshot(runId: string): Promise<RunSnapshot> {
    return this.#kernel.services.runs.snapshot(runId, this.#tenantId);
  }

  async runs({
    status,
    cursor,
    ...rest
  }: RunQuery): Promise<{ runs: RunSummary[]; nextCursor?: string | undefined }> {
    const runs = this.#kernel.services.runs.list({
      tenantId: this.#tenantId,
      ...rest,
      ...(status === undefined ? {} : { status: [status as RunStatus] }),
      ...(cursor === undefined ? {} : { before: cursor }),
    });
    return { runs: runs.map(summary) };
  }

  async *events(runId: string): AsyncGenerator<RunEventDoc> {
    for (let from = 0; ; ) {
      const page = this.#kernel.services.runs.read(runId, this.#tenantId, from, PAGE);
      yield* page;
      if (page.length < PAGE) return;
      from += page.length;
    }
  }

  async *follow(runId: string, fromSequence: number, signal: AbortSignal): AsyncGenerator<RunEventDoc> {
    for await (const batch of this.#kernel.services.runs.follow(runId, this.#tenantId, fromSequence, signal))
      yield* batch;
  }

  cancel(runId: string, reason: string | undefined): Promise<string> {
    return this.#kernel.services.runs.cancel(runId, this.#tenantId, 'cli', reason, CANCEL_WAIT_MS);
  }

  async close(): Promise<void> {
    await this.#kernel.stop();
  }
}

function summary(run: RunRecord): RunSummary {
  return {
    runId: run.runId,
    workflowId: run.workflowId,
    status: run.status,
    createdAt: run.createdAt,
    startedAt: run.startedAt ?? undefined,
    completedAt: run.completedAt ?? undefined,
    error: run.error ?? undefined,
    tags: run.options.tags,
  };
}
