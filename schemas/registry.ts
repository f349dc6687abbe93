// The one list of wire definitions: validators, OpenAPI components and exported JSON Schema read it.
import type { Static } from 'typebox';
import { AgentRef } from './agent-ref.ts';
import { CancelRunRequest, CancelRunResponse } from './cancel.ts';
import { Capabilities } from './capabilities.ts';
import { ChannelDeclaration } from './channel.ts';
import { CreateRunRequest, CreateRunResponse } from './create-run.ts';
import { ErrorEnvelope } from './error-envelope.ts';
import { ForkRunRequest, ForkRunResponse } from './fork.ts';
import { PauseRunRequest, PauseRunResponse, ResumeRunRequest, ResumeRunResponse } from './pause.ts';
import { ConversationTurn, OrchestratorDecision } from './payloads/conversation.ts';
import { EventPage, PollQuery, StreamQuery } from './poll.ts';
import { ResolveInterruptRequest, ResolveInterruptResponse } from './resolve-interrupt.ts';
import { RunEventDoc } from './run-event.ts';
import { RunList, RunListQuery } from './run-list.ts';
import { RunOptions } from './run-options.ts';
import { RunSnapshot } from './run-snapshot.ts';
import { SuspendRequest } from './suspend-request.ts';
import { WorkflowDefinition } from './workflow-definition.ts';
import { RegisterWorkflowResponse, WorkflowList } from './workflow-registration.ts';

/** Definitions by name. Titled parts inside them (WorkflowNode, PortValue, …) come along by themselves. */
export const WIRE_SCHEMAS = {
  'agent-ref': AgentRef,
  'cancel-run-request': CancelRunRequest,
  'cancel-run-response': CancelRunResponse,
  capabilities: Capabilities,
  'channel-declaration': ChannelDeclaration,
  'conversation-turn': ConversationTurn,
  'create-run-request': CreateRunRequest,
  'create-run-response': CreateRunResponse,
  'error-envelope': ErrorEnvelope,
  'event-page': EventPage,
  'fork-run-request': ForkRunRequest,
  'fork-run-response': ForkRunResponse,
  'orchestrator-decision': OrchestratorDecision,
  'pause-run-request': PauseRunRequest,
  'pause-run-response': PauseRunResponse,
  'poll-query': PollQuery,
  'register-workflow-response': RegisterWorkflowResponse,
  'resolve-interrupt-request': ResolveInterruptRequest,
  'resolve-interrupt-response': ResolveInterruptResponse,
  'resume-run-request': ResumeRunRequest,
  'resume-run-response': ResumeRunResponse,
  'run-event': RunEventDoc,
  'run-list': RunList,
  'run-list-query': RunListQuery,
  'run-options': RunOptions,
  'run-snapshot': RunSnapshot,
  'stream-query': StreamQuery,
  'suspend-request': SuspendRequest,
  'workflow-definition': WorkflowDefinition,
  'workflow-list': WorkflowList,
} as const;

export type WireName = keyof typeof WIRE_SCHEMAS;

/** Static type of a named definition. */
export type Wire<N extends WireName> = Static<(typeof WIRE_SCHEMAS)[N]>;
