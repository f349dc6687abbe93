/** One line per event, for pipes and logs. */
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { RunView } from './state.ts';
import { duration, printable } from './text.ts';

/**
 * The line that says what `event` changed; undefined for events a reader of steps does not miss.
 * `view` is the state after the event.
 */
export function plainLine(event: RunEventDoc, view: RunView): string | undefined {
  const message = event.type.startsWith('node.') ? nodeMessage(event, view) : runMessage(event, view);
  if (message === undefined) return undefined;
  const offset = view.startedAt === undefined ? 0 : Date.parse(event.timestamp) - view.startedAt;
  return `${`+${(offset / 1000).toFixed(3)} s`.padStart(11)}  ${printable(message)}`;
}

function nodeMessage(event: RunEventDoc, view: RunView): string | undefined {
  const node = view.nodes.find(({ nodeId }) => nodeId === event.nodeId);
  if (node === undefined) return undefined;
  const took =
    node.since === undefined || node.until === undefined ? '' : ` in ${duration(node.until - node.since)}`;
  const note = node.note === undefined ? '' : `: ${node.note}`;
  switch (event.type) {
    case 'node.started':
      return node.attempt > 1 ? `${node.name} attempt ${node.attempt}` : `${node.name} started`;
    case 'node.completed':
      return `${node.name} completed${took}${node.attempt > 1 ? ` after ${node.attempt} attempts` : ''}`;
    case 'node.retried':
      return `${node.name} failed, will retry${note}`;
    case 'node.failed':
      return `${node.name} failed${took}${note}`;
    case 'node.skipped':
      return `${node.name} skipped${note}`;
    case 'node.cancelled':
      return `${node.name} cancelled${note}`;
    case 'node.suspended':
      return `${node.name} waiting${note}`;
    case 'node.resumed':
      return `${node.name} resumed`;
    default:
      return undefined;
  }
}

function runMessage(event: RunEventDoc, view: RunView): string | undefined {
  const took =
    view.startedAt === undefined || view.endedAt === undefined
      ? ''
      : ` in ${duration(view.endedAt - view.startedAt)}`;
  switch (event.type) {
    case 'run.started':
      return `${view.title} started, run ${view.runId}`;
    case 'run.paused':
      return 'run paused';
    case 'run.resumed':
      return view.recoveries > 0 ? 'run recovered by another process' : 'run resumed';
    case 'run.completed':
      return `run completed${took}, outputs ${JSON.stringify(view.outputs ?? {})}`;
    case 'run.failed':
      return `run failed${took}: ${view.error === undefined ? '' : `${view.error.code}: ${view.error.message}`}`;
    case 'run.cancelled':
      return `run cancelled${took}`;
    case 'workflow.loopback-limit':
      return `loop limit reached at ${event.nodeId ?? 'a node'}`;
    case 'cap.breached':
      return `limit breached: ${JSON.stringify(event.payload)}`;
    default:
      return undefined;
  }
}
