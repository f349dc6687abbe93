// Registering workflows: a host extension, the protocol fixes only its checks (run events §1.9).
import { type Static, Type } from 'typebox';
import { closed, open } from './build.ts';
import { DateTime, nonEmpty } from './common.ts';
import { WorkflowDefinition } from './workflow-definition.ts';

/** POST /v1/workflows takes the definition itself. */
export const RegisterWorkflowRequest = WorkflowDefinition;
export type RegisterWorkflowRequest = WorkflowDefinition;

/** Something odd but legal in a definition; errors use the same shape in `details`. */
export const WorkflowWarning = closed(
  {
    path: Type.String({ description: 'JSON pointer into the definition.' }),
    nodeId: Type.Optional(nonEmpty()),
    message: nonEmpty(),
  },
  { title: 'WorkflowWarning' },
);
export type WorkflowWarning = Static<typeof WorkflowWarning>;

const identity = {
  workflowId: nonEmpty(),
  version: nonEmpty(),
  digest: nonEmpty({ description: 'Hash of the canonical definition.' }),
  registeredAt: DateTime,
};

export const RegisterWorkflowResponse = closed(
  {
    ...identity,
    created: Type.Boolean({ description: 'False when this very definition was known already.' }),
    warnings: Type.Optional(Type.Array(WorkflowWarning)),
  },
  { title: 'RegisterWorkflowResponse' },
);
export type RegisterWorkflowResponse = Static<typeof RegisterWorkflowResponse>;

export const WorkflowSummary = open(
  { ...identity, name: nonEmpty(), description: Type.Optional(Type.String()) },
  { title: 'WorkflowSummary' },
);
export type WorkflowSummary = Static<typeof WorkflowSummary>;

export const WorkflowList = closed(
  { workflows: Type.Array(WorkflowSummary), nextCursor: Type.Optional(nonEmpty()) },
  { title: 'WorkflowList' },
);
export type WorkflowList = Static<typeof WorkflowList>;
