// Runs the pure engine in virtual time: no store, no dispatcher, every outcome a function of the invocation id.
import { createHash } from 'node:crypto';
import type { Invocation, NodeType, Outcome } from '../../kernel/dispatch/types.ts';
import { type FoldedEvent, foldAll } from '../../kernel/engine/fold.ts';
import type { EventIntent, RunFacts } from '../../kernel/engine/intents.ts';
import { next } from '../../kernel/engine/next.ts';
import { compilePlan, type Plan } from '../../kernel/engine/plan.ts';
import { settle } from '../../kernel/engine/settle.ts';
import { type EngineState, initialState } from '../../kernel/engine/state.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';

export interface Simulation {
  readonly log: readonly FoldedEvent[];
  readonly state: EngineState;
  readonly crashes: number;
}

export interface SimulateOptions {
  readonly maxNodeExecutions?: number;
  /** Decides after each commit whether the host crashes: everything but the log is forgotten. */
  readonly crashAfter?: (commit: number) => boolean;
  readonly nodeTypes?: Readonly<Record<string, NodeType>>;
  /** Outcome of an invocation and how long it takes, ms. */
  readonly execute?: (invocation: Invocation) => { readonly outcome: Outcome; readonly durationMs: number };
}

const MAX_STEPS = 5000;

/** Runs a definition to its end. Throws when it does not end: that is the bug the simulation looks for. */
export function simulate(definition: WorkflowDefinition, options: SimulateOptions = {}): Simulation {
  const {
    crashAfter = () => false,
    execute = executeByHash,
    maxNodeExecutions = 100,
    nodeTypes = SIM_TYPES,
  } = options;
  const plan = compilePlan(definition, { nodeType: (id) => nodeTypes[id], capabilities: new Set() });
  const facts = simFacts(definition, maxNodeExecutions);
  const log: FoldedEvent[] = [];
  let state = initialState(plan, facts);
  let now = 1_000_000;
  let commits = 0;
  let crashes = 0;

  const commit = (intents: readonly EventIntent[]) => {
    const events = intents.map((intent, index) => ({ ...intent, sequence: state.sequence + index, at: now }));
    log.push(...events);
    state = foldAll(plan, state, events);
    commits += 1;
    if (!crashAfter(commits)) return;
    crashes += 1;
    state = foldAll(plan, initialState(plan, facts), log);
  };

  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (state.completedAt !== undefined) return { log, state, crashes };
    const step = next(plan, state, facts, now);
    if (step.events.length > 0) {
      commit(step.events);
      continue;
    }
    const due = step.invocations
      .map((invocation) => ({ invocation, ...execute(invocation) }))
      .map((job) => ({
        ...job,
        at: job.outcome.kind === 'sleeping' ? job.outcome.until : job.invocation.startedAt + job.durationMs,
      }))
      .sort((a, b) => a.at - b.at)[0];
    const at = Math.min(due?.at ?? Infinity, step.wakeAt ?? Infinity);
    if (!Number.isFinite(at)) throw new Error(`the run waits for nothing: ${JSON.stringify(state)}`);
    now = Math.max(now, at);
    if (due && due.at <= now && due.outcome.kind !== 'sleeping')
      commit(settle(plan, state, due.invocation, due.outcome));
  }
  throw new Error('the run does not end');
}

/** Folds a log from the first event, as a restarted host does. */
export function refold(
  definition: WorkflowDefinition,
  log: readonly FoldedEvent[],
  nodeTypes = SIM_TYPES,
): EngineState {
  const plan: Plan = compilePlan(definition, { nodeType: (id) => nodeTypes[id], capabilities: new Set() });
  return foldAll(plan, initialState(plan, simFacts(definition, 100)), log);
}

function simFacts(definition: WorkflowDefinition, maxNodeExecutions: number): RunFacts {
  return {
    runId: 'run_sim',
    tenantId: 't',
    workflowId: definition.id,
    workflowVersion: definition.version,
    definitionDigest: 'sha256:0',
    scopeId: null,
    engineVersion: 1,
    eventLogSchemaVersion: 2,
    inputs: {},
    options: {},
    test: true,
    createdAt: new Date(0).toISOString(),
    maxNodeExecutions,
    transport: 'rest',
  };
}

const never = (): never => {
  throw new Error('simulated node types are not executed');
};

/** `sim.step` completes, fails or retries; `sim.route` emits one of the ports a and b. */
export const SIM_TYPES: Readonly<Record<string, NodeType>> = {
  'sim.step': { typeId: 'sim.step', description: '', execute: never },
  'sim.route': { typeId: 'sim.route', description: '', routes: true, execute: never },
  'sim.join': { typeId: 'sim.join', description: '', joins: true, execute: never },
};

function executeByHash(invocation: Invocation): { outcome: Outcome; durationMs: number } {
  const [first = 0, second = 0, third = 0] = createHash('sha1').update(invocation.invocationId).digest();
  const durationMs = second + third;
  if (first < 40) {
    const error = { code: 'node_error', message: 'simulated' };
    return { durationMs, outcome: { kind: 'failed', error, retryable: first < 25 } };
  }
  const value = first % 4;
  const outputs =
    invocation.typeId === 'sim.route'
      ? { [value < 2 ? 'a' : 'b']: value }
      : { output: value, flag: value > 1 };
  return {
    durationMs,
    outcome: {
      kind: 'completed',
      outputs,
      ...(value === 3 ? { variables: { last: invocation.nodeId } } : {}),
    },
  };
}
