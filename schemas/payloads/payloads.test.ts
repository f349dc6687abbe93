import { describe, expect, test } from 'vitest';
import { RUN_EVENT_TYPES, type RunEventType } from '../event-types.ts';
import { checkEvent } from '../validators.ts';
import type { RunEventPayloads } from './index.ts';

type Sample<T extends RunEventType> = {
  /** The least that is valid. */
  valid: RunEventPayloads[T];
  /** Changes that break it, and the one problem they cause. `undefined` removes a key. */
  broken: Record<string, unknown>;
  path: string;
  message: string;
};

const missing = (key: string) => ({
  broken: { [key]: undefined },
  path: `/${key}`,
  message: `Missing required property "${key}".`,
});
const notText = (key: string) => ({
  broken: { [key]: 7 },
  path: `/${key}`,
  message: 'Must be a string, got a number.',
});
const error = { code: 'boom', message: 'It broke.' };
const agentId = 'core.chat';
const lease = { leaseId: 'l', host: 'cloud' } as const;

const SAMPLES: { [T in RunEventType]: Sample<T> } = {
  'run.started': { valid: { workflowId: 'w' }, ...missing('workflowId') },
  'run.completed': {
    valid: {},
    broken: { durationMs: -1 },
    path: '/durationMs',
    message: 'Must be at least 0, got -1.',
  },
  'run.failed': {
    valid: { error },
    broken: { error: { code: 'boom' } },
    path: '/error/message',
    message: 'Missing required property "message".',
  },
  'run.cancelled': { valid: {}, ...notText('reason') },
  'run.resuming': { valid: {}, ...notText('fromStatus') },
  'run.paused': {
    valid: { drainPolicy: 'immediate' },
    broken: { drainPolicy: 'later' },
    path: '/drainPolicy',
    message: 'Must be one of "immediate", "drain-current-node", got "later".',
  },
  'run.resumed': { valid: {}, ...notText('resumedBy') },
  'run.restored-from-snapshot': {
    valid: {},
    broken: { snapshotSeq: 1.5 },
    path: '/snapshotSeq',
    message: 'Must be an integer, got 1.5.',
  },
  'node.started': { valid: { nodeId: 'n', typeId: 'core.noop' }, ...missing('typeId') },
  'node.completed': {
    valid: { nodeId: 'n' },
    broken: { outputs: [] },
    path: '/outputs',
    message: 'Must be an object, got an array.',
  },
  'node.failed': {
    valid: { nodeId: 'n', error },
    broken: { error: { ...error, code: '' } },
    path: '/error/code',
    message: 'Must not be empty.',
  },
  'node.suspended': { valid: { nodeId: 'n', interruptId: 'i' }, ...missing('interruptId') },
  'node.suspend-failed': { valid: { nodeId: 'n', error }, ...missing('error') },
  'node.resumed': { valid: { nodeId: 'n' }, ...missing('nodeId') },
  'node.retried': {
    valid: { nodeId: 'n', attempt: 1 },
    broken: { attempt: 0 },
    path: '/attempt',
    message: 'Must be at least 1, got 0.',
  },
  'node.skipped': { valid: { nodeId: 'n' }, ...missing('nodeId') },
  'node.cancelled': { valid: { nodeId: 'n' }, ...notText('reason') },
  'approval.requested': {
    valid: { nodeId: 'n', artifactId: 'a', artifactType: 't', actions: ['edit'] },
    broken: { actions: [] },
    path: '/actions',
    message: 'Must have at least 1 item.',
  },
  'approval.received': {
    valid: { nodeId: 'n', action: 'timeout' },
    broken: { action: 'acept' },
    path: '/action',
    message:
      'Must be one of "accept", "reject", "refine", "edit-accept", "timeout", got "acept". Did you mean "accept"?',
  },
  'clarification.requested': {
    valid: { nodeId: 'n', questions: [{ id: 'q', question: 'Why?' }] },
    broken: { questions: [{ id: 'q' }] },
    path: '/questions/0/question',
    message: 'Missing required property "question".',
  },
  'clarification.resolved': { valid: { nodeId: 'n', answers: {} }, ...missing('answers') },
  'interrupt.requested': {
    valid: {
      kind: 'custom',
      key: 'k',
      nodeId: 'n',
      interruptId: 'i',
      data: { customKind: 'c' },
    },
    broken: { kind: 'external-event' },
    path: '/data/eventType',
    message: 'Missing required property "eventType".',
  },
  'interrupt.resolved': { valid: { nodeId: 'n', interruptId: 'i' }, ...missing('nodeId') },
  'channel.written': {
    valid: { channel: 'c', value: null, reducer: 'message', writtenAt: '2026-01-01T00:00:00Z' },
    broken: { reduced: [] },
    path: '/reduced',
    message: 'Unknown property "reduced". Did you mean "reducer"?',
  },
  'artifact.created': { valid: { artifactId: 'a', artifactType: 't' }, ...missing('artifactType') },
  'output.chunk': {
    valid: { nodeId: 'n', chunk: '' },
    broken: { meta: { usages: {} } },
    path: '/meta/usages',
    message: 'Unknown property "usages". Did you mean "usage"?',
  },
  'variable.changed': { valid: { name: 'v' }, ...missing('name') },
  'log.appended': {
    valid: { level: 'info', message: '' },
    broken: { level: 'fatal' },
    path: '/level',
    message: 'Must be one of "debug", "info", "warn", "error", got "fatal".',
  },
  'version.pinned': {
    valid: { changeId: 'c', version: 0 },
    broken: { version: -1 },
    path: '/version',
    message: 'Must be at least 0, got -1.',
  },
  'workflow.restored': { valid: {}, ...notText('engineVersion') },
  'workflow.loopback-limit': { valid: { nodeId: 'n', iterations: 1 }, ...missing('iterations') },
  'workflow.stalled': { valid: {}, ...notText('lastNodeId') },
  'cap.breached': { valid: { kind: 'wasm-memory', limit: 0, observed: 1 }, ...missing('observed') },
  'lease.acquired': {
    valid: lease,
    broken: { host: 'clod' },
    path: '/host',
    message: 'Must be one of "browser", "cloud", got "clod". Did you mean "cloud"?',
  },
  'lease.renewed': {
    valid: lease,
    broken: { expiresAt: 'soon' },
    path: '/expiresAt',
    message: 'Must be a valid date-time.',
  },
  'lease.lost': { valid: lease, ...missing('leaseId') },
  'lease.handed-off': {
    valid: { leaseId: 'l', fromHost: 'browser', toHost: 'cloud' },
    ...missing('toHost'),
  },
  'replay.diverged': { valid: { sourceRunId: 'r', atSequence: 0 }, ...missing('atSequence') },
  'agent.reasoned': { valid: { agentId, reasoning: '' }, ...missing('reasoning') },
  'agent.toolCalled': { valid: { agentId, toolName: 't', callId: 'c' }, ...missing('callId') },
  'agent.toolReturned': { valid: { agentId, toolName: 't', callId: 'c' }, ...notText('toolName') },
  'agent.handoff': {
    valid: { fromAgentId: agentId, toAgentId: agentId },
    broken: { toAgentId: 'ab' },
    path: '/toAgentId',
    message: 'Must have at least 3 characters.',
  },
  'agent.decided': {
    valid: { agentId, decision: null },
    broken: { confidence: 2 },
    path: '/confidence',
    message: 'Must be at most 1, got 2.',
  },
  'runOrchestrator.decided': {
    valid: { agentId, decision: { kind: 'terminate' } },
    broken: { decision: { kind: 'next-workers' } },
    path: '/decision/kind',
    message:
      'Must be one of "next-worker", "ask-user", "terminate", got "next-workers". Did you mean "next-worker"?',
  },
  'conversation.opened': { valid: { conversationId: 'c' }, ...missing('conversationId') },
  'conversation.exchanged': { valid: { conversationId: 'c', turnIndex: 0 }, ...missing('turnIndex') },
  'conversation.closed': {
    valid: { conversationId: 'c' },
    broken: {
      finalTurn: { messageId: 'm', from: 'user', content: null, ts: 0, role: 'assistant', turnIndex: 1 },
    },
    path: '/finalTurn/role',
    message: 'Must be one of "user", "agent", "system", got "assistant".',
  },
};

const eventWith = (type: RunEventType, payload: unknown) => ({
  eventId: 'e',
  runId: 'r',
  type,
  payload,
  timestamp: '2026-01-01T00:00:00.000Z',
  sequence: 0,
});

describe.each(RUN_EVENT_TYPES)('%s', (type) => {
  const sample = SAMPLES[type];

  test('accepts the minimal payload', () => {
    expect(checkEvent(eventWith(type, sample.valid))).toBeNull();
  });

  test('explains what is wrong', () => {
    const payload = { ...sample.valid, ...sample.broken };
    const { path, message } = sample;
    expect(checkEvent(eventWith(type, payload))).toEqual([{ path: `/payload${path}`, message }]);
  });
});

test('payloads tolerate fields a newer host added, unless they are closed', () => {
  expect(checkEvent(eventWith('run.started', { workflowId: 'w', later: true }))).toBeNull();
  expect(
    checkEvent(eventWith('runOrchestrator.decided', { agentId, decision: { kind: 'terminate' }, later: 1 })),
  ).toEqual([{ path: '/payload/later', message: 'Unknown property "later". Allowed: agentId, decision.' }]);
});
