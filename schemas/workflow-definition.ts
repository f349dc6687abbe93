// WorkflowDefinition: what a host registers and runs (run events §1).
import { type Static, Type } from 'typebox';
import { closed, mapOf, oneOf, open } from './build.ts';
import { ChannelDeclaration } from './channel.ts';
import { COMPLIANCE_CLASSES, count, DateTime, LogLevel, MaskingMode, nonEmpty, Tags } from './common.ts';
import { AnyJson, AnyObject, SchemaObject } from './json.ts';
import { NodeGroup, WorkflowEdge, WorkflowNode } from './workflow-graph.ts';

export const TRIGGER_TYPES = [
  'manual',
  'schedule',
  'webhook',
  'event',
  'artifact',
  'canvas',
  'envelope',
  'command',
  'chat-message',
  'channel-write',
] as const;

/** Only `manual` and `channel-write` have behaviour; the other types are reserved names (§1.5). */
export const WorkflowTrigger = closed(
  {
    id: nonEmpty(),
    type: oneOf(TRIGGER_TYPES),
    name: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    config: Type.Optional(AnyObject),
    enabled: Type.Optional(Type.Boolean({ default: true })),
    nodeId: Type.Optional(Type.String()),
    eventType: Type.Optional(Type.String()),
  },
  { title: 'WorkflowTrigger', description: 'What starts the workflow or one of its nodes.' },
);
export type WorkflowTrigger = Static<typeof WorkflowTrigger>;

export const VARIABLE_TYPES = ['string', 'number', 'boolean', 'object', 'array'] as const;

export const WorkflowVariable = closed(
  {
    name: nonEmpty(),
    type: oneOf(VARIABLE_TYPES),
    description: Type.Optional(Type.String()),
    required: Type.Optional(Type.Boolean({ default: false })),
    defaultValue: Type.Optional(AnyJson),
    sensitive: Type.Optional(Type.Boolean({ default: false })),
  },
  { title: 'WorkflowVariable', description: 'Named run state, filled from the inputs by name.' },
);
export type WorkflowVariable = Static<typeof WorkflowVariable>;

/** The default of `maxLoopbackIterations`, the bound on loops and channel-write cascades (§1.7). */
export const DEFAULT_MAX_LOOPBACK_ITERATIONS = 5;

export const WorkflowSettings = open(
  {
    timeout: Type.Optional(count(0, { description: 'Longest run in milliseconds; 0 means no limit.' })),
    maxRetries: Type.Optional(count()),
    logLevel: Type.Optional(LogLevel),
    maxLoopbackIterations: Type.Optional(count(1, { default: DEFAULT_MAX_LOOPBACK_ITERATIONS })),
  },
  { title: 'WorkflowSettings' },
);
export type WorkflowSettings = Static<typeof WorkflowSettings>;

export const WorkflowMetadata = open(
  {
    createdBy: Type.Optional(Type.String()),
    createdAt: Type.Optional(DateTime),
    updatedBy: Type.Optional(Type.String()),
    updatedAt: Type.Optional(DateTime),
    tags: Type.Optional(Tags),
    category: Type.Optional(Type.String()),
    author: Type.Optional(Type.String()),
    codeVersion: Type.Optional(Type.String()),
    customizedAt: Type.Optional(DateTime),
    customizedBy: Type.Optional(Type.String()),
    forkedFrom: Type.Optional(Type.String()),
    clonedFrom: Type.Optional(Type.String()),
    clonedAt: Type.Optional(DateTime),
    customProperties: Type.Optional(AnyObject),
    complianceClass: Type.Optional(oneOf(COMPLIANCE_CLASSES, { default: 'public' })),
    complianceConfig: Type.Optional(open({ maskingMode: Type.Optional(MaskingMode) })),
  },
  { title: 'WorkflowMetadata' },
);
export type WorkflowMetadata = Static<typeof WorkflowMetadata>;

export const WorkflowDefinition = closed(
  {
    id: Type.String({ minLength: 1, maxLength: 128, pattern: '^[a-z][a-z0-9_-]*$' }),
    name: Type.String({ minLength: 1, maxLength: 256 }),
    version: nonEmpty(),
    nodes: Type.Array(WorkflowNode, { minItems: 1 }),
    edges: Type.Array(WorkflowEdge),
    triggers: Type.Array(WorkflowTrigger),
    variables: Type.Array(WorkflowVariable),
    metadata: WorkflowMetadata,
    settings: WorkflowSettings,
    description: Type.Optional(Type.String()),
    type: Type.Optional(Type.String({ description: 'Free category.' })),
    isActive: Type.Optional(Type.Boolean()),
    status: Type.Optional(oneOf(['active', 'inactive', 'draft', 'archived'])),
    tenantId: Type.Optional(Type.String()),
    scopeId: Type.Optional(Type.String()),
    slug: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]*$' })),
    groups: Type.Optional(Type.Array(NodeGroup)),
    channels: Type.Optional(
      mapOf(ChannelDeclaration, { description: 'Its presence switches on channel-aware mode.' }),
    ),
    configurableSchema: Type.Optional(SchemaObject),
    acceptsInheritedArtifacts: Type.Optional(Type.Array(AnyObject)),
    createdAt: Type.Optional(DateTime),
    updatedAt: Type.Optional(DateTime),
  },
  { title: 'WorkflowDefinition', description: 'A workflow graph with its declarations.' },
);
export type WorkflowDefinition = Static<typeof WorkflowDefinition>;
