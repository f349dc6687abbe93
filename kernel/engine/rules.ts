/** Whether a node may run: trigger rules over its incoming edges, and loops that are still turning (run events §1.4). Pure. */
import { type Plan, type PlanEdge, type PlanNode, planNode } from './plan.ts';
import { type EngineState, isLive, nodeState } from './state.ts';

/** Trigger rules (run events §1.4) over the incoming edges of a node. */
export function evaluate(
  plan: Plan,
  state: EngineState,
  node: PlanNode,
  loopsOver: boolean,
): 'start' | 'skip' | 'wait' {
  let pending = 0;
  let taken = 0;
  let skipped = 0;
  let failed = 0;
  let dataPending = false;
  let dataMissing = false;
  const rules = new Set<PlanEdge['rule']>();
  for (const edge of node.incoming) {
    const status = settledStatus(plan, state, edge, loopsOver);
    if (edge.kind !== 'explicit') {
      if (status === 'pending') dataPending = true;
      else if (status !== 'taken' && edge.kind === 'required-data') dataMissing = true;
      continue;
    }
    rules.add(edge.rule);
    if (status === 'pending') pending += 1;
    else if (status === 'taken') taken += 1;
    else if (status === 'failed') failed += 1;
    else skipped += 1;
  }
  let verdict: 'start' | 'skip' | 'wait' = 'start';
  for (const rule of rules) {
    const one = applyRule(rule, { pending, taken, skipped, failed });
    if (one === 'skip') return 'skip';
    if (one === 'wait') verdict = 'wait';
  }
  if (dataMissing) return 'skip';
  return dataPending ? 'wait' : verdict;
}

interface Tally {
  readonly pending: number;
  readonly taken: number;
  readonly skipped: number;
  readonly failed: number;
}

function applyRule(
  rule: PlanEdge['rule'],
  { pending, taken, skipped, failed }: Tally,
): 'start' | 'skip' | 'wait' {
  switch (rule) {
    case 'all_success':
      if (skipped + failed > 0) return 'skip';
      return pending > 0 ? 'wait' : 'start';
    case 'any_success':
      if (taken > 0) return 'start';
      return pending > 0 ? 'wait' : 'skip';
    case 'all_complete':
      return pending > 0 ? 'wait' : 'start';
    case 'none_failed':
      if (failed > 0) return 'skip';
      return pending > 0 ? 'wait' : 'start';
    case 'any_failed':
      if (failed > 0) return 'start';
      return pending > 0 ? 'wait' : 'skip';
  }
}

/** A branch not taken out of a loop is only decided when the loop is over: a later pass may take it. */
function settledStatus(
  plan: Plan,
  state: EngineState,
  edge: PlanEdge,
  loopsOver: boolean,
): 'pending' | 'taken' | 'skipped' | 'failed' {
  const status = state.edges[edge.id] ?? 'pending';
  if (status === 'late') return 'pending';
  if (
    !loopsOver &&
    status !== 'taken' &&
    edge.leaves.some((header) => loopActive(state, planNode(plan, header)))
  )
    return 'pending';
  return status;
}

/** Any node of the loop, the header aside, is live or still to be decided. */
export function loopBusy(state: EngineState, header: PlanNode): boolean {
  for (const id of header.loopBody ?? [])
    if (id !== header.id && (isLive(nodeState(state, id).status) || state.queue.includes(id))) return true;
  return false;
}

function loopActive(state: EngineState, header: PlanNode): boolean {
  return (
    state.reenter.includes(header.id) ||
    isLive(nodeState(state, header.id).status) ||
    state.queue.includes(header.id) ||
    loopBusy(state, header)
  );
}
