/** Service `runs`: creates, reads, follows and cancels runs; holds the drivers of the runs this host executes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RunSnapshot } from '../../schemas/run-snapshot.ts';
import { isTerminalStatus } from '../../schemas/run-status.ts';
import type { Dispatcher } from '../dispatch/types.ts';
import { foldAll } from '../engine/fold.ts';
import type { RunFacts } from '../engine/intents.ts';
import type { Plan } from '../engine/plan.ts';
import { toSnapshot } from '../engine/snapshot.ts';
import { type EngineState, initialState } from '../engine/state.ts';
import { WoprError } from '../errors.ts';
import type {
  Claims,
  EventLog,
  LogEntry,
  RunEventDoc,
  RunFilter,
  RunHeader,
  RunRecord,
  RunStatus,
} from '../log/types.ts';
import { ENGINE_VERSION, EVENT_LOG_SCHEMA_VERSION } from '../version.ts';
import { checkAdmission, nodeExecutionCap } from './admission.ts';
import { type DriverEnvironment, RunDriver, type Turn } from './driver.ts';
import { type Finished, finishedRuns } from './finished-runs.ts';
import { newRunId } from './run-id.ts';
import type { CreateRun, RunService } from './types.ts';
import type { Workflows } from './workflows.ts';

export interface RunsOptions {
  readonly log: EventLog;
  readonly expired: RunService['expired'];
  readonly claims: Claims;
  readonly workflows: Workflows;
  readonly dispatcher: () => Dispatcher;
  readonly logger: Logger;
  readonly now: () => number;
  readonly maxLiveRuns: number;
  readonly maxNodeExecutions: number;
  readonly inline: boolean;
  /** A parked run wants to be woken at this time (epoch ms). */
  readonly onWake: (at: number) => void;
}

const READ_PAGE = 1000;
const CANCEL_WAIT_MS = 1000;
const BUSY_RETRY_SECONDS = 1;
/** How long a run that cannot be executed here is left alone. */
const PUT_BACK_MS = 30_000;
/** Before a run whose log has moved is taken again. */
const RETAKE_MS = 100;

export class Runs implements RunService {
  readonly #options: RunsOptions;
  readonly #live = new Map<string, RunDriver>();
  readonly #finished = finishedRuns();
  readonly #driverEnvironment: DriverEnvironment;
  readonly #startedAt: number;
  #accepting = true;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#driverEnvironment = {
      log: options.log,
      dispatcher: options.dispatcher,
      logger: options.logger,
      now: options.now,
      inline: options.inline,
      onWake: options.onWake,
      onLeave: (driver, why) => this.#left(driver, why),
    };
  }

  async create(request: CreateRun): Promise<{ readonly runId: string; readonly status: RunStatus }> {
    if (!this.#accepting)
      throw new WoprError('service_unavailable', 'The host is stopping.', {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    const { log, workflows, now, maxLiveRuns, maxNodeExecutions } = this.#options;
    if (request.runId !== undefined) {
      const existing = log.run(request.runId);
      if (existing?.tenantId === request.tenantId) return { runId: existing.runId, status: existing.status };
    }
    if (this.#live.size >= maxLiveRuns)
      throw new WoprError('service_unavailable', `The host executes ${maxLiveRuns} runs already.`, {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    const workflow = workflows.get(request.workflowId, request.tenantId);
    if (!workflow)
      throw new WoprError('validation_error', `No workflow "${request.workflowId}" is registered.`, {
        details: { errors: [{ path: '/workflowId', message: 'is not a registered workflow' }] },
      });
    checkAdmission(workflow, request.inputs, request.options);
    const at = now();
    const header: RunHeader = {
      runId: request.runId ?? newRunId(at),
      tenantId: request.tenantId,
      workflowId: workflow.workflowId,
      workflowVersion: workflow.version,
      definitionDigest: workflow.digest,
      scopeId: request.scopeId ?? null,
      engineVersion: request.forcedEngineVersion ?? ENGINE_VERSION,
      eventLogSchemaVersion: EVENT_LOG_SCHEMA_VERSION,
      inputs: request.inputs,
      options: request.options,
      test: request.test ?? false,
      createdAt: new Date(at).toISOString(),
    };
    const plan = workflows.plan(workflow.digest);
    const facts: RunFacts = {
      ...header,
      transport: request.transport,
      maxNodeExecutions: nodeExecutionCap(request.options, maxNodeExecutions),
    };
    const driver = new RunDriver(this.#driverEnvironment, facts, plan, initialState(plan, header));
    this.#live.set(header.runId, driver);
    let turn: Turn;
    try {
      turn = driver.turn();
      await log.createRun({ ...turn.request, header, dedup: request.dedup ?? false });
    } catch (error) {
      driver.abandon(error);
      // Another process that took over the reservation may have created it a moment ago.
      const existing = request.runId === undefined ? undefined : log.run(request.runId);
      if (existing?.tenantId === request.tenantId) return { runId: existing.runId, status: existing.status };
      throw error;
    }
    driver.commit(turn);
    return { runId: header.runId, status: 'pending' };
  }

  get(runId: string, tenantId?: string): RunRecord {
    const record = this.#options.log.run(runId);
    if (!record || (tenantId !== undefined && record.tenantId !== tenantId)) throw notFound(runId);
    return record;
  }

  expired(runId: string): ReturnType<RunService['expired']> {
    return this.#options.expired(runId);
  }

  header(runId: string): RunHeader {
    return this.#finished.get(runId)?.header ?? this.#live.get(runId)?.facts ?? this.get(runId);
  }

  snapshot(runId: string, tenantId?: string): RunSnapshot {
    const { header, plan, state } = this.#current(runId, tenantId);
    return toSnapshot(plan, header, state);
  }

  snapshotJson(runId: string, tenantId?: string): string {
    const current = this.#current(runId, tenantId);
    if (current.state.completedAt === undefined)
      return JSON.stringify(toSnapshot(current.plan, current.header, current.state));
    current.json ??= JSON.stringify(toSnapshot(current.plan, current.header, current.state));
    return current.json;
  }

  list(filter: RunFilter): RunRecord[] {
    return this.#options.log.runs(filter);
  }

  read(runId: string, tenantId: string | undefined, fromSequence = 0, limit = 100): RunEventDoc[] {
    this.#authorise(runId, tenantId);
    return this.#options.log.read(runId, fromSequence, limit);
  }

  follow(
    runId: string,
    tenantId: string | undefined,
    fromSequence: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly RunEventDoc[]> {
    this.#authorise(runId, tenantId);
    return this.#options.log.follow(runId, fromSequence, signal);
  }

  async cancel(
    runId: string,
    tenantId: string | undefined,
    by: string,
    reason?: string,
    waitMs = CANCEL_WAIT_MS,
  ): Promise<RunStatus | 'cancelling'> {
    const { status } = this.get(runId, tenantId);
    if (isTerminalStatus(status)) return status;
    try {
      await this.#options.log.signal(runId, 'cancel', { by, ...(reason === undefined ? {} : { reason }) });
    } catch (error) {
      // It ended while we asked.
      if (error instanceof WoprError && error.code === 'conflict') return this.get(runId, tenantId).status;
      throw error;
    }
    await this.deliver(runId);
    const deadline = this.#options.now() + waitMs;
    for (;;) {
      const { status: now } = this.get(runId, tenantId);
      if (isTerminalStatus(now)) return now;
      if (this.#options.now() >= deadline) return 'cancelling';
      await sleep(10);
    }
  }

  stats(): { readonly live: number; readonly maxLive: number } {
    return { live: this.#live.size, maxLive: this.#options.maxLiveRuns };
  }

  /** A signal was stored or a timer is due: hands the run to its driver, claiming and loading it first when nobody holds it. */
  async deliver(runId: string): Promise<void> {
    const driver = this.#live.get(runId);
    if (driver) return driver.signalled();
    await this.take(runId);
  }

  /** Claims a run and drives it. False when another host holds it, it has ended, or this host has no room. */
  async take(runId: string): Promise<boolean> {
    const { claims, log, logger, workflows, maxLiveRuns, maxNodeExecutions } = this.#options;
    if (!this.#accepting || this.#live.has(runId) || this.#live.size >= maxLiveRuns) return false;
    const { taken, from } = await claims.claim(runId);
    // A claim taken while the host began to stop is released with all others.
    if (!taken || !this.#accepting || this.#live.has(runId)) return false;
    const record = log.run(runId);
    if (!record) return false;
    let plan: Plan;
    let state: EngineState;
    try {
      plan = workflows.plan(record.definitionDigest);
      state = this.#load(record, plan);
    } catch (error) {
      logger.error({ err: error, runId }, 'run cannot be executed on this host; trying again later');
      await this.#putBack(record);
      return false;
    }
    const facts: RunFacts = {
      ...record,
      transport: 'rest',
      maxNodeExecutions: nodeExecutionCap(record.options, maxNodeExecutions),
    };
    // Taken from a dead host, or parked before this process began: the log tells that another process goes on with it.
    const recovered = (from !== null && from !== claims.instanceId) || state.lastEventAt < this.#startedAt;
    const driver = new RunDriver(this.#driverEnvironment, facts, plan, state, { loaded: true, recovered });
    this.#live.set(runId, driver);
    driver.poke();
    return true;
  }

  /** Gives a claimed run back for a while: a plugin or a repair may make it executable, here or on another host. */
  async #putBack(record: RunRecord): Promise<void> {
    const { log, now, onWake } = this.#options;
    const wakeAt = now() + PUT_BACK_MS;
    await log.append({ runId: record.runId, entries: [], projection: { ...record, wakeAt }, release: true });
    onWake(wakeAt);
  }

  /** Signals of other processes arrived for these live runs. */
  signalled(runIds: readonly string[]): void {
    for (const runId of runIds) this.#live.get(runId)?.signalled();
  }

  /** Runs were removed from the store: what is kept of finished ones is read anew. */
  forgetFinished(): void {
    this.#finished.clear();
  }

  /** After a pause longer than the claims last: lets go of runs that another host has taken over meanwhile. */
  dropLost(): void {
    const { claims, log } = this.#options;
    for (const [runId, driver] of this.#live) {
      const record = log.run(runId);
      // A run without a record is being created.
      if (record && record.owner !== claims.instanceId) driver.lost(new Error('the claim has expired'));
    }
  }

  /** Accepts nothing new; live runs are dropped where they stand, to be continued by whoever claims them next. */
  stop(): void {
    this.#accepting = false;
    for (const driver of [...this.#live.values()]) driver.abandon(new Error('the host is stopping'));
  }

  #left(driver: RunDriver, why: 'finished' | 'parked' | 'lost'): void {
    const { runId } = driver.facts;
    this.#live.delete(runId);
    // Our claim holds, but the log has moved: a commit that was reported as failed. Go on from what is stored.
    if (
      why === 'lost' &&
      this.#accepting &&
      this.#options.log.run(runId)?.owner === this.#options.claims.instanceId
    )
      setTimeout(() => void this.#retake(runId), RETAKE_MS);
    if (why === 'finished')
      this.#finished.set(runId, { header: driver.facts, plan: driver.plan, state: driver.committed });
    // The signal came while the run was being parked: nobody has read it.
    if (why === 'parked' && driver.signalsUnread) void this.#retake(runId);
  }

  async #retake(runId: string): Promise<void> {
    try {
      await this.take(runId);
    } catch (error) {
      this.#options.logger.error({ err: error, runId }, 'a run was not taken again; the scheduler will try');
    }
  }

  #current(runId: string, tenantId: string | undefined): Finished {
    const finished = this.#finished.get(runId);
    if (finished) {
      if (tenantId !== undefined && finished.header.tenantId !== tenantId) throw notFound(runId);
      return finished;
    }
    const driver = this.#live.get(runId);
    if (
      driver &&
      (tenantId === undefined || driver.facts.tenantId === tenantId) &&
      driver.committed.sequence > 0
    )
      return { header: driver.facts, plan: driver.plan, state: driver.committed };
    const record = this.get(runId, tenantId);
    const plan = this.#options.workflows.plan(record.definitionDigest);
    const loaded: Finished = { header: record, plan, state: this.#load(record, plan) };
    if (isTerminalStatus(record.status)) this.#finished.set(runId, loaded);
    return loaded;
  }

  /** Folds a stored run: from its checkpoint if it has one, else from the first event. */
  #load(record: RunRecord, plan: Plan): EngineState {
    const { log } = this.#options;
    const checkpoint = log.checkpoint(record.runId);
    let state = checkpoint ? (checkpoint.state as unknown as EngineState) : initialState(plan, record);
    for (let page = log.readEntries(record.runId, state.sequence, READ_PAGE); page.length > 0; ) {
      state = foldAll(plan, state, page.map(toFolded));
      page = page.length < READ_PAGE ? [] : log.readEntries(record.runId, state.sequence, READ_PAGE);
    }
    return state;
  }

  #authorise(runId: string, tenantId: string | undefined): void {
    const owner = this.#finished.peek(runId)?.header.tenantId ?? this.#live.get(runId)?.facts.tenantId;
    if (owner === undefined) this.get(runId, tenantId);
    else if (tenantId !== undefined && owner !== tenantId) throw notFound(runId);
  }
}

function toFolded({ doc, secret }: LogEntry) {
  return {
    type: doc.type,
    payload: secret ?? doc.payload,
    nodeId: doc.nodeId,
    sequence: doc.sequence,
    at: Date.parse(doc.timestamp),
  };
}

function notFound(runId: string): WoprError {
  return new WoprError('not_found', `No run "${runId.slice(0, 128)}" is visible to this key.`);
}
