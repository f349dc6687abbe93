/**
 * `next`: what has to happen now, given the state of a run. Pure. The driver appends the returned events, folds them and asks again
 * until there are none; then it executes the invocations and waits.
 */
import type { Invocation } from '../dispatch/types.ts';
import { decide } from './decide.ts';
import { failRun, runOutputs } from './endings.ts';
import type { EventIntent, RunFacts } from './intents.ts';
import { invocationOf } from './invocation.ts';
import type { Plan } from './plan.ts';
import { type EngineState, isLive, nodeState } from './state.ts';

export interface Step {
  /** Events to append and fold before asking again. */
  readonly events: readonly EventIntent[];
  /** Invocations that should be in flight; complete, so the driver ignores those it already started. */
  readonly invocations: readonly Invocation[];
  /** Epoch ms at which to ask again even if nothing happens. */
  readonly wakeAt?: number;
}

export function next(plan: Plan, state: EngineState, run: RunFacts, now: number): Step {
  if (state.status === 'completed' || state.status === 'failed' || state.status === 'cancelled')
    return only([]);
  if (state.status === 'pending') return only([runStarted(plan, run)]);
  if (state.failure) return only(failRun(state, state.failure.error, state.failure.nodeId));
  const deadline = runDeadline(plan, state);
  if (deadline !== undefined && now >= deadline)
    return only(
      failRun(state, {
        code: 'run_timeout',
        message: `The run took longer than ${plan.timeoutMs} ms (settings.timeout).`,
      }),
    );

  const events = decide(plan, state, run, now);
  if (events.length > 0) return only(events);

  const invocations: Invocation[] = [];
  let wakeAt = deadline;
  let live = false;
  for (const node of plan.nodes.values()) {
    const current = nodeState(state, node.id);
    live ||= isLive(current.status);
    if (current.status === 'running') invocations.push(invocationOf(node, state, run, now));
    if (current.status === 'retrying' && current.retryAt !== undefined)
      wakeAt = Math.min(wakeAt ?? Infinity, current.retryAt);
  }
  if (live) return { events: [], invocations, ...(wakeAt === undefined ? {} : { wakeAt }) };
  // Nothing runs any more, so no loop can still take the branches that were held back for it.
  const heldBack = decide(plan, state, run, now, true);
  if (heldBack.length > 0) return only(heldBack);
  return only([{ type: 'run.completed', payload: { outputs: runOutputs(plan, state) } }]);
}

function only(events: readonly EventIntent[]): Step {
  return { events, invocations: [] };
}

function runStarted(plan: Plan, run: RunFacts): EventIntent {
  const { tags, metadata } = run.options;
  return {
    type: 'run.started',
    payload: {
      workflowId: plan.definition.id,
      inputs: run.inputs,
      transport: run.transport,
      engineVersion: String(run.engineVersion),
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

function runDeadline(plan: Plan, state: EngineState): number | undefined {
  return plan.timeoutMs > 0 && state.startedAt !== undefined ? state.startedAt + plan.timeoutMs : undefined;
}
