/** Whether the host should get traffic, and what is wrong with it. */
import type { HealthCheck } from '../../kernel/plugin/points/operations.ts';
import type { HostService } from '../../kernel/plugin/types.ts';

export interface Readiness {
  /** `degraded` still takes traffic. */
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly phase: HostService['phase'];
  /** Plugins that should run and do not. */
  readonly plugins: readonly { readonly name: string; readonly state: string; readonly reason?: string }[];
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail?: string }[];
}

/** A check that throws counts as failed. */
export function readiness(host: HostService, checks: readonly HealthCheck[]): Readiness {
  const { phase } = host;
  const results = checks.map((check) => ({ name: check.name, ...run(check) }));
  const plugins = host.plugins
    .filter(({ state }) => state === 'degraded')
    .map(({ name, state, reason }) => ({ name, state, ...(reason !== undefined && { reason }) }));
  const failed = phase !== 'ready' || results.some(({ status }) => status === 'failed');
  const degraded = plugins.length > 0 || results.some(({ status }) => status === 'degraded');
  return {
    status: failed ? 'unavailable' : degraded ? 'degraded' : 'ready',
    phase,
    plugins,
    checks: results,
  };
}

/** For everybody: without reasons and details, which may name paths and addresses. */
export function publicView({ status, phase, plugins, checks }: Readiness): Readiness {
  return {
    status,
    phase,
    plugins: plugins.map(({ name, state }) => ({ name, state })),
    checks: checks.map((check) => ({ name: check.name, status: check.status })),
  };
}

function run(check: HealthCheck): ReturnType<HealthCheck['check']> {
  try {
    return check.check();
  } catch (error) {
    return { status: 'failed', detail: `the check itself failed: ${(error as Error).message}` };
  }
}
