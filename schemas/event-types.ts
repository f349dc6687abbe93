// The event vocabulary: the 47 types and the stream tiers each belongs to (run events §4.5).

/** Every event type of the protocol, in catalogue order. The list is closed (run events §4.3). */
export const RUN_EVENT_TYPES = [
  'run.started',
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.resuming',
  'run.paused',
  'run.resumed',
  'run.restored-from-snapshot',
  'node.started',
  'node.completed',
  'node.failed',
  'node.suspended',
  'node.suspend-failed',
  'node.resumed',
  'node.retried',
  'node.skipped',
  'node.cancelled',
  'approval.requested',
  'approval.received',
  'clarification.requested',
  'clarification.resolved',
  'interrupt.requested',
  'interrupt.resolved',
  'channel.written',
  'artifact.created',
  'output.chunk',
  'variable.changed',
  'log.appended',
  'version.pinned',
  'workflow.restored',
  'workflow.loopback-limit',
  'workflow.stalled',
  'cap.breached',
  'lease.acquired',
  'lease.renewed',
  'lease.lost',
  'lease.handed-off',
  'replay.diverged',
  'agent.reasoned',
  'agent.toolCalled',
  'agent.toolReturned',
  'agent.handoff',
  'agent.decided',
  'runOrchestrator.decided',
  'conversation.opened',
  'conversation.exchanged',
  'conversation.closed',
] as const;

export type RunEventType = (typeof RUN_EVENT_TYPES)[number];

/** A selection a stream can ask for; `debug` is absent because it carries every event. */
export type StreamTier = 'updates' | 'values' | 'messages';

const UPDATE: readonly StreamTier[] = ['updates', 'values'];
const VALUES: readonly StreamTier[] = ['values'];
const MESSAGE: readonly StreamTier[] = ['messages'];
/** In no tier: visible in `debug` only. */
const DEBUG: readonly StreamTier[] = [];

/**
 * Tiers per type: `updates` streams the event itself, `values` sends a snapshot because of it,
 * `messages` sends it as an AI message chunk. `node.started` triggers a snapshot but is no update;
 * `interrupt.*`, `artifact.created`, `node.resumed` and `node.cancelled` count as updates (§17 X5, X8, X9).
 */
export const EVENT_TIERS: Record<RunEventType, readonly StreamTier[]> = {
  'run.started': UPDATE,
  'run.completed': UPDATE,
  'run.failed': UPDATE,
  'run.cancelled': UPDATE,
  'run.resuming': DEBUG,
  'run.paused': UPDATE,
  'run.resumed': UPDATE,
  'run.restored-from-snapshot': DEBUG,
  'node.started': VALUES,
  'node.completed': UPDATE,
  'node.failed': UPDATE,
  'node.suspended': UPDATE,
  'node.suspend-failed': DEBUG,
  'node.resumed': UPDATE,
  'node.retried': DEBUG,
  'node.skipped': UPDATE,
  'node.cancelled': UPDATE,
  'approval.requested': UPDATE,
  'approval.received': UPDATE,
  'clarification.requested': UPDATE,
  'clarification.resolved': UPDATE,
  'interrupt.requested': UPDATE,
  'interrupt.resolved': UPDATE,
  'channel.written': DEBUG,
  'artifact.created': UPDATE,
  'output.chunk': MESSAGE,
  'variable.changed': DEBUG,
  'log.appended': DEBUG,
  'version.pinned': DEBUG,
  'workflow.restored': DEBUG,
  'workflow.loopback-limit': DEBUG,
  'workflow.stalled': DEBUG,
  'cap.breached': DEBUG,
  'lease.acquired': DEBUG,
  'lease.renewed': DEBUG,
  'lease.lost': DEBUG,
  'lease.handed-off': DEBUG,
  'replay.diverged': DEBUG,
  'agent.reasoned': DEBUG,
  'agent.toolCalled': DEBUG,
  'agent.toolReturned': DEBUG,
  'agent.handoff': DEBUG,
  'agent.decided': DEBUG,
  'runOrchestrator.decided': DEBUG,
  'conversation.opened': DEBUG,
  'conversation.exchanged': DEBUG,
  'conversation.closed': DEBUG,
};

/** A run's log ends with exactly one of these (run events §3.2). */
export const TERMINAL_EVENT_TYPES = ['run.completed', 'run.failed', 'run.cancelled'] as const;

export type TerminalEventType = (typeof TERMINAL_EVENT_TYPES)[number];

const KNOWN: ReadonlySet<string> = new Set(RUN_EVENT_TYPES);
const TERMINAL: ReadonlySet<string> = new Set(TERMINAL_EVENT_TYPES);

export function isRunEventType(type: string): type is RunEventType {
  return KNOWN.has(type);
}

export function isTerminalEventType(type: string): type is TerminalEventType {
  return TERMINAL.has(type);
}
