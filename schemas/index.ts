// schemas/ is the wire: TypeBox definitions that give the TypeScript types, validators, JSON Schema and OpenAPI.
export * from './agent-ref.ts';
export * from './cancel.ts';
export * from './capabilities.ts';
export * from './channel.ts';
export {
  COMPLIANCE_CLASSES,
  DRAIN_POLICIES,
  DrainPolicy,
  EventError,
  LOG_LEVELS,
  LogLevel,
  MASKING_MODES,
  MaskingMode,
  REDUCERS,
  RunError,
} from './common.ts';
export * from './create-run.ts';
export * from './describe-errors.ts';
export * from './error-envelope.ts';
export * from './event-types.ts';
export * from './fork.ts';
export * from './json.ts';
export * from './openapi.ts';
export * from './pause.ts';
export * from './payloads/index.ts';
export * from './poll.ts';
export * from './port-value.ts';
export * from './registry.ts';
export * from './resolve-interrupt.ts';
export * from './run-event.ts';
export * from './run-list.ts';
export * from './run-options.ts';
export * from './run-snapshot.ts';
export {
  isTerminalStatus,
  RUN_STATUSES,
  TERMINAL_RUN_STATUSES,
  type TerminalRunStatus,
} from './run-status.ts';
export * from './suspend-request.ts';
export * from './validators.ts';
export * from './workflow-definition.ts';
export * from './workflow-graph.ts';
export * from './workflow-registration.ts';
