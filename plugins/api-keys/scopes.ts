/** Scopes this host knows by itself (HTTP §7.2). No scope implies another; plugins may require scopes of their own. */

export const SCOPES = [
  'manifest:read',
  'manifest:write',
  'runs:create',
  'runs:read',
  'runs:cancel',
  'artifacts:read',
  'webhooks:manage',
  'approvals:respond',
  'packs:publish',
  'packs:yank',
  'packs:yank-revert',
] as const;

export const LOW_SCOPES: readonly string[] = ['manifest:read', 'runs:read'];

/** `<resource>:<action>`, with more parts where a plugin wants them. */
export const SCOPE_FORM = /^[a-z][a-z0-9.-]*(:[a-z][a-z0-9.-]*)+$/;
