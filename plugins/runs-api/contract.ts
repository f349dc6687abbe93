/** What other plugins may use of the runs API: who is calling, and which runs they may see. */
import { WoprError } from '../../kernel/errors.ts';
import type { RunHeader } from '../../kernel/log/types.ts';
import type { Principal, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { RunService } from '../../kernel/runs/types.ts';
import { ENGINE_VERSION } from '../../kernel/version.ts';

/** What `X-Force-Engine-Version` may ask for; advertised as `testing.forceEngineVersionRange`. */
export const FORCED_ENGINE_VERSIONS = { min: Math.max(0, ENGINE_VERSION - 1), max: ENGINE_VERSION + 1 };

/** The caller of a route that is not public. */
export function callerOf(request: RouteRequest): Principal {
  if (!request.principal) throw new WoprError('unauthenticated', 'This route needs a credential.');
  return request.principal;
}

/** The tenant a request acts for: the one it names, else the credential's own. Errors: `forbidden` for a tenant of somebody else. */
export function tenantFor(caller: Principal, named: string | undefined): string {
  if (named === undefined) return caller.tenantId;
  if (caller.tenantIds.includes(named)) return named;
  throw new WoprError('forbidden', 'The key may not act for this tenant.', {
    details: { field: 'tenantId' },
  });
}

/**
 * The run, if the caller may see it: it belongs to one of the caller's tenants, and test keys see test runs only, live keys live runs
 * only (HTTP §7.3). Errors: `not_found` in every other case, so that existence does not leak; `gone` when retention removed it;
 * `engine_version_mismatch` when a newer engine stored it.
 */
export function visibleRun(runs: RunService, caller: Principal, runId: string): RunHeader {
  let header: RunHeader;
  try {
    header = runs.header(runId);
  } catch (error) {
    const expired = runs.expired(runId);
    if (!expired || !caller.tenantIds.includes(expired.tenantId)) throw error;
    const { expiredAt } = expired;
    throw new WoprError('gone', `Run "${runId}" was removed by retention.`, { details: { expiredAt } });
  }
  if (!caller.tenantIds.includes(header.tenantId) || header.test !== caller.test)
    throw new WoprError('not_found', `No run "${runId.slice(0, 128)}" is visible to this key.`);
  refuseNewer(header);
  return header;
}

/** A run of a newer engine must not be read as if it were of this one; runs with a forced version are exempt (HTTP §14.2, §14.6). */
function refuseNewer({ runId, engineVersion, test }: RunHeader): void {
  if (engineVersion <= (test ? FORCED_ENGINE_VERSIONS.max : ENGINE_VERSION)) return;
  throw new WoprError('engine_version_mismatch', 'The run was stored by a newer engine than this host has.', {
    details: { runId, persistedVersion: engineVersion, currentVersion: ENGINE_VERSION },
  });
}
