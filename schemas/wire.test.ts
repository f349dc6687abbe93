import { expect, test } from 'vitest';
import { WIRE_SCHEMAS, type Wire, type WireName } from './registry.ts';
import { problemsOf, validatorFor } from './validators.ts';

type Sample<N extends WireName> = { valid: Wire<N>; invalid: unknown; path: string; message: string };

const uri = 'https://host.example/v1/runs/r';
const at = '2026-01-01T00:00:00Z';
const turn = { messageId: 'm', from: 'user', content: 'hi', ts: 0, role: 'user', turnIndex: 0 } as const;
const event = {
  eventId: 'e',
  runId: 'r',
  type: 'run.started',
  payload: {},
  timestamp: at,
  sequence: 0,
} as const;
const limits = { clarificationRounds: 3, schemaRounds: 2, envelopesPerTurn: 5 };
const registered = { workflowId: 'w', version: '1.0', digest: 'sha256:0', registeredAt: at };

const SAMPLES: { [N in WireName]: Sample<N> } = {
  'agent-ref': {
    valid: { agentId: 'core.chat', modelClass: 'chat' },
    invalid: { agentId: 'core.chat', agentSharing: 'shared' },
    path: '/agentSharing',
    message:
      'Unknown property "agentSharing". Allowed: agentId, name, modelClass, memoryRef, version, sourceManifestId.',
  },
  'cancel-run-request': {
    valid: {},
    invalid: { resaon: 'x' },
    path: '/resaon',
    message: 'Unknown property "resaon". Did you mean "reason"?',
  },
  'cancel-run-response': {
    valid: { runId: 'r', status: 'cancelling' },
    invalid: { runId: 'r', status: 'running' },
    path: '/status',
    message: 'Must be one of "cancelled", "cancelling", "completed", "failed", got "running".',
  },
  capabilities: {
    valid: { protocolVersion: '1.0', supportedEnvelopes: [], schemaVersions: {}, limits },
    invalid: {
      protocolVersion: '1.0',
      supportedEnvelopes: [],
      schemaVersions: {},
      limits: { ...limits, maxRunDurationSec: 1 },
    },
    path: '/limits/maxRunDurationSec',
    message:
      'Unknown property "maxRunDurationSec". Allowed: clarificationRounds, schemaRounds, envelopesPerTurn, maxNodeExecutions.',
  },
  'channel-declaration': {
    valid: { reducer: 'vendor.acme.max' },
    invalid: { reducer: 'sum' },
    path: '/reducer',
    message:
      'Does not have the required form: One of replace, append, merge, counter, votes, feedback, message, or vendor.<org>.<name>.',
  },
  'conversation-turn': {
    valid: turn,
    invalid: { ...turn, messageId: 'm'.repeat(257) },
    path: '/messageId',
    message: 'Must have at most 256 characters.',
  },
  'create-run-request': {
    valid: {
      workflowId: 'w',
      inputs: { any: null },
      configurable: { recursionLimit: 1, ai: { credentialRef: 'c' }, 'vendor.acme.x': 1 } as object,
      tags: ['env:test'],
      metadata: {},
    },
    invalid: { workflowId: 'w', input: {} },
    path: '/input',
    message: 'Unknown property "input". Did you mean "inputs"?',
  },
  'create-run-response': {
    valid: { runId: 'r', status: 'pending', eventsUrl: `${uri}/events` },
    invalid: { runId: 'r', status: 'pending', eventsUrl: '/v1/runs/r/events' },
    path: '/eventsUrl',
    message: 'Must be a valid uri.',
  },
  'error-envelope': {
    valid: { error: 'not_found', message: 'No such run.', details: { correlationId: 'c' } },
    invalid: { error: 'forbidden', message: 'No.', scopeRequired: 'runs:read' },
    path: '/scopeRequired',
    message: 'Unknown property "scopeRequired". Allowed: error, message, details.',
  },
  'event-page': {
    valid: { events: [event], isComplete: false },
    invalid: { events: [{ ...event, seq: 0 }], isComplete: false },
    path: '/events/0/seq',
    message:
      'Unknown property "seq". Allowed: eventId, runId, type, payload, timestamp, sequence, nodeId, schemaVersion, engineVersion, causationId.',
  },
  'fork-run-request': {
    valid: { mode: 'replay', runOptionsOverlay: {} },
    invalid: { mode: 'replay', runOptionsOverlay: { tags: [] } },
    path: '/runOptionsOverlay/tags',
    message: 'Unknown property "tags": nothing is allowed here.',
  },
  'fork-run-response': {
    valid: { runId: 'r', sourceRunId: 's', mode: 'branch', status: 'pending', eventsUrl: uri, fromSeq: 3 },
    invalid: { runId: 'r', sourceRunId: 's', mode: 'branch', status: 'pending' },
    path: '/eventsUrl',
    message: 'Missing required property "eventsUrl".',
  },
  'orchestrator-decision': {
    valid: { kind: 'next-worker', nextWorkerIds: ['w'] },
    invalid: { kind: 'next-worker', nextWorkerIds: [] },
    path: '/nextWorkerIds',
    message: 'Must have at least 1 item.',
  },
  'pause-run-request': {
    valid: { drainPolicy: 'drain-current-node' },
    invalid: { drainPolicy: 'drain' },
    path: '/drainPolicy',
    message: 'Must be one of "immediate", "drain-current-node", got "drain".',
  },
  'pause-run-response': {
    valid: { runId: 'r', status: 'paused', pausedAt: at },
    invalid: { runId: 'r', status: 'pausing' },
    path: '/status',
    message: 'Must be "paused", got "pausing".',
  },
  'poll-query': {
    valid: { lastSequence: 0, timeout: 60 },
    invalid: { timeout: 61 },
    path: '/timeout',
    message: 'Must be at most 60, got 61.',
  },
  'register-workflow-response': {
    valid: { ...registered, created: true, warnings: [{ path: '/nodes/0', nodeId: 'n', message: 'Odd.' }] },
    invalid: registered,
    path: '/created',
    message: 'Missing required property "created".',
  },
  'resolve-interrupt-request': {
    valid: { resumeValue: null },
    invalid: { action: 'accept' },
    path: '/resumeValue',
    message: 'Missing required property "resumeValue".',
  },
  'resolve-interrupt-response': {
    valid: { runId: 'r', nodeId: 'n', status: 'running' },
    invalid: { nodeId: '' },
    path: '/nodeId',
    message: 'Must not be empty.',
  },
  'resume-run-request': {
    valid: { reason: 'ok' },
    invalid: { reason: null },
    path: '/reason',
    message: 'Must be a string, got null.',
  },
  'resume-run-response': {
    valid: { runId: 'r', status: 'running' },
    invalid: { status: 'running' },
    path: '/runId',
    message: 'Missing required property "runId".',
  },
  'run-event': {
    valid: { ...event, nodeId: 'n', engineVersion: '1', schemaVersion: 1, causationId: 'c' },
    invalid: { ...event, engineVersion: 1 },
    path: '/engineVersion',
    message: 'Must be a string, got a number.',
  },
  'run-list': {
    valid: { runs: [{ runId: 'r', workflowId: 'w', status: 'waiting-external', createdAt: at }] },
    invalid: { runs: {} },
    path: '/runs',
    message: 'Must be an array, got an object.',
  },
  'run-list-query': {
    valid: { tag: 'env:test', limit: 1 },
    invalid: { limit: 0 },
    path: '/limit',
    message: 'Must be at least 1, got 0.',
  },
  'run-options': {
    valid: { tags: Array.from({ length: 100 }, () => 'same') },
    invalid: { tags: Array.from({ length: 101 }, () => 'same') },
    path: '/tags',
    message: 'Must have at most 100 items.',
  },
  'run-snapshot': {
    valid: {
      runId: 'r',
      workflowId: 'w',
      status: 'waiting-external',
      interrupt: { interruptToken: 't', kind: 'external-event' },
      childRuns: [{ runId: 'c', status: 'running' }],
      metrics: { openwopCost: { usd: 0.1, tokens: { input: 1 } } },
    },
    invalid: {
      runId: 'r',
      workflowId: 'w',
      status: 'failed',
      error: { code: 'c', message: 'm', retryable: true },
    },
    path: '/error/retryable',
    message: 'Unknown property "retryable". Allowed: code, message, details.',
  },
  'stream-query': {
    valid: { streamMode: 'updates,messages', bufferMs: 5000 },
    invalid: { streamMode: 'updates,' },
    path: '/streamMode',
    message: 'Must match ^(values|updates|messages|debug)(,(values|updates|messages|debug))*$.',
  },
  'suspend-request': {
    // Fits two data shapes, which is why the kind decides.
    valid: { kind: 'conversation.close', key: 'k', data: { conversationId: 'c' } },
    invalid: {
      kind: 'approval',
      key: 'k',
      data: { artifactId: 'a', artifactType: 't', title: 'T', actions: ['edit'] },
    },
    path: '/data/actions/0',
    message: 'Must be one of "accept", "reject", "refine", "edit-accept", "ask", got "edit".',
  },
  'workflow-definition': {
    valid: {
      id: 'w',
      name: 'W',
      version: '1.0',
      nodes: [{ id: 'n', typeId: 'core.noop', name: 'N', position: { x: 0, y: 0 }, config: {}, inputs: {} }],
      edges: [],
      triggers: [],
      variables: [],
      metadata: {},
      settings: {},
    },
    invalid: {},
    path: '/id',
    message: 'Missing required property "id".',
  },
  'workflow-list': {
    valid: { workflows: [{ ...registered, name: 'W' }] },
    invalid: { workflows: [{ ...registered }] },
    path: '/workflows/0/name',
    message: 'Missing required property "name".',
  },
};

const names = Object.keys(WIRE_SCHEMAS) as WireName[];

test.each(names)('%s accepts its valid sample', (name) => {
  expect(problemsOf(validatorFor(name), SAMPLES[name].valid)).toBeNull();
});

test.each(names)('%s explains its invalid sample', (name) => {
  const { invalid, path, message } = SAMPLES[name];
  expect(problemsOf(validatorFor(name), invalid)).toEqual([{ path, message }]);
});

test('a branch has to say where it leaves its source', () => {
  expect(problemsOf(validatorFor('fork-run-request'), { mode: 'branch' })).toEqual([
    { path: '/fromSeq', message: 'Missing required property "fromSeq".' },
  ]);
});

test('the discovery document of a full host is valid', () => {
  const idempotency = { supported: true, layer1RetentionSeconds: 86_400, crossRegion: 'single-region' };
  const document = {
    protocolVersion: '1.0',
    supportedEnvelopes: ['clarification.request'],
    schemaVersions: { 'clarification.request': 1 },
    limits: { ...limits, maxNodeExecutions: 100 },
    engineVersion: 1,
    secrets: { supported: true, scopes: ['tenant', 'user'], resolution: 'host-managed' },
    aiProviders: { supported: ['a'], byok: ['a'], policies: { modes: ['optional'] } },
    testing: { mockProviders: ['stream-text'], forceEngineVersionRange: { min: 0, max: 2 } },
    replay: { supported: true, modes: ['replay', 'branch'] },
    runs: { pauseResume: { supported: true, drainPolicies: ['immediate'] } },
    idempotency,
    capabilities: { idempotency },
    'acme.extra': true,
  };
  expect(problemsOf(validatorFor('capabilities'), document)).toBeNull();
});
