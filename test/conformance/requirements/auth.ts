/** Credentials, scopes, and versions a credential may ask for. */
import type { Requirement } from './types.ts';

export const AUTH_REQUIREMENTS = [
  {
    id: 'auth.missing',
    level: 'MUST',
    text: 'A protected route without a credential is answered with 401 unauthenticated.',
    source: 'HTTP §7.1',
  },
  {
    id: 'auth.malformed',
    level: 'MUST',
    text: 'An Authorization header that is no bearer credential is answered with 401.',
    source: 'HTTP §7.1',
  },
  {
    id: 'auth.unknown-key',
    level: 'MUST',
    text: 'An unknown key is answered with 401, never with 403.',
    source: 'HTTP §7.1',
  },
  {
    id: 'auth.reveals-nothing',
    level: 'MUST',
    text: 'Without a valid credential the answer is the same whether the thing asked for exists or not.',
    source: 'HTTP §4',
  },
  {
    id: 'auth.no-echo',
    level: 'MUST',
    text: 'The refusal does not repeat the credential it refuses.',
    source: 'HTTP §7.1',
  },
  {
    id: 'auth.scope',
    level: 'MUST',
    text: 'A valid key without the scope of the route is answered with 403 forbidden.',
    source: 'HTTP §7.1',
  },
  {
    id: 'auth.scope-detail',
    level: 'SHOULD',
    text: 'The 403 names the missing scope in details.scopeRequired.',
    source: 'HTTP §6.2',
  },
  {
    id: 'auth.scope-granted',
    level: 'MUST',
    text: 'A key may do what its own scopes allow, whoever started the run in its tenant.',
    source: 'HTTP §7.2',
  },
  {
    id: 'auth.scope-no-effect',
    level: 'MUST',
    text: 'A refused request changes nothing.',
    source: 'HTTP §4',
  },
  {
    id: 'auth.foreign-tenant',
    level: 'MUST',
    text: 'A tenantId that is not one of the caller is never accepted as the tenant of a run.',
    source: 'HTTP §5.1',
  },

  {
    id: 'version.advertised',
    level: 'SHOULD',
    text: 'Discovery names protocolVersion, engineVersion, eventLogSchemaVersion and minClientVersion.',
    source: 'HTTP §14.5',
  },
  {
    id: 'version.log-schema',
    level: 'MUST',
    text: 'Runs are written under event log schema version 2, and discovery and snapshot agree on it.',
    source: 'HTTP §14.1',
  },
  {
    id: 'version.snapshot-string',
    level: 'MUST',
    text: 'Snapshots and events carry engineVersion as a decimal string.',
    source: 'run events §4.4',
  },
  {
    id: 'version.force.live-key',
    level: 'MUST',
    text: 'A forced engine version with a live key is answered with 403 force_engine_version_forbidden.',
    source: 'HTTP §14.6',
  },
  {
    id: 'version.force.in-range',
    level: 'MUST',
    text: 'With a test key, a run under any advertised engine version completes, stays readable, and stamps its events with that version.',
    source: 'HTTP §14.6',
  },
  {
    id: 'version.force.out-of-range',
    level: 'MUST',
    text: 'With a test key, a version outside the advertised range is answered with 400 unsupported_force_engine_version and the range in details.',
    source: 'HTTP §14.6',
  },
  {
    id: 'version.force.not-a-number',
    level: 'SHOULD',
    text: 'With a test key, a forced version that is no whole number is answered with 400 validation_error.',
    source: 'HTTP §14.6',
  },
] as const satisfies readonly Requirement[];
