// POST /v1/runs: the request as one flat object, and the 201 answer (HTTP §5.1).
import { type Static, Type } from 'typebox';
import { closed, oneOf } from './build.ts';
import { Id128, nonEmpty } from './common.ts';
import { AnyObject } from './json.ts';
import { runOptionFields } from './run-options.ts';

/** Closed: an unknown top-level key is a validation error, while `inputs` and `metadata` stay free. */
export const CreateRunRequest = closed(
  {
    workflowId: nonEmpty(),
    inputs: Type.Optional(AnyObject),
    tenantId: Type.Optional(Type.String({ description: 'Defaults to the tenant of the credential.' })),
    scopeId: Type.Optional(Type.String({ description: 'Opaque; with the tenant it forms the dedup pair.' })),
    callbackUrl: Type.Optional(Type.String({ format: 'uri', description: 'Receives interrupt callbacks.' })),
    ...runOptionFields,
  },
  { title: 'CreateRunRequest', description: 'Starts a run.' },
);
export type CreateRunRequest = Static<typeof CreateRunRequest>;

export const CREATED_RUN_STATUSES = ['pending', 'running', 'waiting-approval', 'waiting-input'] as const;

export const CreateRunResponse = closed(
  {
    runId: Id128,
    status: oneOf(CREATED_RUN_STATUSES),
    eventsUrl: Type.String({ format: 'uri' }),
    statusUrl: Type.Optional(Type.String({ format: 'uri' })),
  },
  { title: 'CreateRunResponse', description: 'The accepted run.' },
);
export type CreateRunResponse = Static<typeof CreateRunResponse>;
