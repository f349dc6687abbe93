// Event payloads: one schema and one static type per event type (run events §4.5).
import type { Static, TSchema } from 'typebox';
import type { RunEventType } from '../event-types.ts';
import type { RunEventDoc } from '../run-event.ts';
import * as agent from './agent.ts';
import * as approval from './approval.ts';
import * as channel from './channel.ts';
import * as clarification from './clarification.ts';
import * as conversation from './conversation.ts';
import * as host from './host.ts';
import * as interrupt from './interrupt.ts';
import * as node from './node.ts';
import * as output from './output.ts';
import * as run from './run.ts';
import * as trace from './trace.ts';

/** Payload schema of every event type; the compiler refuses a missing or surplus entry. */
export const PAYLOAD_SCHEMAS = {
  'run.started': run.RunStarted,
  'run.completed': run.RunCompleted,
  'run.failed': run.RunFailed,
  'run.cancelled': run.RunCancelled,
  'run.resuming': run.RunResuming,
  'run.paused': run.RunPaused,
  'run.resumed': run.RunResumed,
  'run.restored-from-snapshot': run.RunRestoredFromSnapshot,
  'node.started': node.NodeStarted,
  'node.completed': node.NodeCompleted,
  'node.failed': node.NodeFailed,
  'node.suspended': node.NodeSuspended,
  'node.suspend-failed': node.NodeSuspendFailed,
  'node.resumed': node.NodeResumed,
  'node.retried': node.NodeRetried,
  'node.skipped': node.NodeSkipped,
  'node.cancelled': node.NodeCancelled,
  'approval.requested': approval.ApprovalRequested,
  'approval.received': approval.ApprovalReceived,
  'clarification.requested': clarification.ClarificationRequested,
  'clarification.resolved': clarification.ClarificationResolved,
  'interrupt.requested': interrupt.InterruptRequested,
  'interrupt.resolved': interrupt.InterruptResolved,
  'channel.written': channel.ChannelWritten,
  'artifact.created': output.ArtifactCreated,
  'output.chunk': output.OutputChunk,
  'variable.changed': trace.VariableChanged,
  'log.appended': trace.LogAppended,
  'version.pinned': trace.VersionPinned,
  'workflow.restored': host.WorkflowRestored,
  'workflow.loopback-limit': host.WorkflowLoopbackLimit,
  'workflow.stalled': host.WorkflowStalled,
  'cap.breached': host.CapBreached,
  'lease.acquired': host.LeaseLifecycle,
  'lease.renewed': host.LeaseLifecycle,
  'lease.lost': host.LeaseLifecycle,
  'lease.handed-off': host.LeaseHandedOff,
  'replay.diverged': host.ReplayDiverged,
  'agent.reasoned': agent.AgentReasoned,
  'agent.toolCalled': agent.AgentToolCalled,
  'agent.toolReturned': agent.AgentToolReturned,
  'agent.handoff': agent.AgentHandoff,
  'agent.decided': agent.AgentDecided,
  'runOrchestrator.decided': conversation.RunOrchestratorDecided,
  'conversation.opened': conversation.ConversationOpened,
  'conversation.exchanged': conversation.ConversationExchanged,
  'conversation.closed': conversation.ConversationClosed,
} satisfies Record<RunEventType, TSchema>;

/** Static payload types: `RunEventPayloads['node.completed']`. */
export type RunEventPayloads = { [T in RunEventType]: Static<(typeof PAYLOAD_SCHEMAS)[T]> };

/** An event whose payload type follows from its `type`; a union over all types by default. */
export type TypedRunEvent<T extends RunEventType = RunEventType> = {
  [K in T]: Omit<RunEventDoc, 'type' | 'payload'> & { type: K; payload: RunEventPayloads[K] };
}[T];
