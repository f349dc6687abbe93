// The graph of a workflow: nodes, edges, conditions, visual groups (run events §1.2, §1.4, §1.8).
import { type Static, Type } from 'typebox';
import { AgentRef } from './agent-ref.ts';
import { closed, mapOf, oneOf, open } from './build.ts';
import { nonEmpty } from './common.ts';
import { AnyJson, AnyObject } from './json.ts';
import { PortValue } from './port-value.ts';

const Position = open({ x: Type.Number(), y: Type.Number() });
const Size = open({ width: Type.Number(), height: Type.Number() });

export const WorkflowNode = closed(
  {
    id: nonEmpty(),
    typeId: Type.String({
      minLength: 1,
      pattern: '^[a-z][a-zA-Z0-9._-]*$',
      description: 'Node type, for example core.identity or vendor.<org>.<name>.',
    }),
    name: nonEmpty(),
    position: Position,
    config: AnyObject,
    inputs: mapOf(PortValue),
    credentialsRef: Type.Optional(Type.String()),
    settings: Type.Optional(AnyObject),
    disabled: Type.Optional(Type.Boolean({ default: false })),
    notes: Type.Optional(Type.String()),
    groupId: Type.Optional(Type.String()),
    agent: Type.Optional(AgentRef),
    envelopeContract: Type.Optional(AnyObject),
    artifactType: Type.Optional(Type.String()),
    cardType: Type.Optional(Type.String()),
    outputSensitivity: Type.Optional(mapOf(Type.Boolean(), { description: 'Ports whose output is masked.' })),
  },
  { title: 'WorkflowNode', description: 'One step of a workflow.' },
);
export type WorkflowNode = Static<typeof WorkflowNode>;

export const EDGE_CONDITION_TYPES = ['expression', 'equals', 'notEquals', 'contains', 'regex'] as const;

export const EdgeCondition = closed(
  {
    type: Type.Optional(oneOf(EDGE_CONDITION_TYPES)),
    left: Type.Optional(Type.String({ description: 'Dotted path, for example output.approved.' })),
    right: Type.Optional(AnyJson),
    expression: Type.Optional(Type.String()),
  },
  { title: 'EdgeCondition', description: 'When an edge is followed.' },
);
export type EdgeCondition = Static<typeof EdgeCondition>;

export const TRIGGER_RULES = [
  'all_success',
  'any_success',
  'all_complete',
  'none_failed',
  'any_failed',
] as const;
export const TriggerRule = oneOf(TRIGGER_RULES, { default: 'all_success' });
export type TriggerRule = Static<typeof TriggerRule>;

export const WorkflowEdge = closed(
  {
    id: nonEmpty(),
    sourceNodeId: nonEmpty(),
    targetNodeId: nonEmpty(),
    sourceOutput: Type.Optional(Type.String({ default: 'output' })),
    targetInput: Type.Optional(Type.String({ default: 'input' })),
    condition: Type.Optional(EdgeCondition),
    label: Type.Optional(Type.String()),
    triggerRule: Type.Optional(TriggerRule),
  },
  { title: 'WorkflowEdge', description: 'Connects two nodes.' },
);
export type WorkflowEdge = Static<typeof WorkflowEdge>;

/** Drawing aid for editors; never affects execution. */
export const NodeGroup = closed(
  {
    id: nonEmpty(),
    name: nonEmpty(),
    nodeIds: Type.Array(Type.String()),
    position: Position,
    size: Size,
    color: Type.Optional(Type.String()),
    collapsed: Type.Optional(Type.Boolean({ default: false })),
  },
  { title: 'NodeGroup', description: 'Visual grouping of nodes.' },
);
export type NodeGroup = Static<typeof NodeGroup>;
