// Run statuses as plain data, so the engine can use them without loading the schema library.

/**
 * `waiting-external` is absent from the published enum, but a run waiting for an external event must
 * report it; readers have to tolerate unknown statuses anyway (run events §3.1, §17 X18).
 */
export const RUN_STATUSES = [
  'pending',
  'running',
  'paused',
  'waiting-approval',
  'waiting-input',
  'waiting-external',
  'completed',
  'failed',
  'cancelled',
] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

export const TERMINAL_RUN_STATUSES = ['completed', 'failed', 'cancelled'] as const;

export type TerminalRunStatus = (typeof TERMINAL_RUN_STATUSES)[number];

const TERMINAL: ReadonlySet<string> = new Set(TERMINAL_RUN_STATUSES);

export function isTerminalStatus(status: RunStatus): status is TerminalRunStatus {
  return TERMINAL.has(status);
}
