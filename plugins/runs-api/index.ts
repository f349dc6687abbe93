// Runs over HTTP: create, read, list, cancel; what only test keys may ask for; the tenant binding of every run.
import { mergeCapabilities } from '../../kernel/plugin/index.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { cancelRunRoutes } from './cancel-run.ts';
import { FORCED_ENGINE_VERSIONS } from './contract.ts';
import { createRunRoute } from './create-run.ts';
import { headerGates } from './header-gates.ts';
import { getRunRoute, listRunsRoute } from './read-runs.ts';

export interface RunsApiConfig {
  readonly bodyLimitBytes: number;
}

export function activate(context: PluginContext<RunsApiConfig>): void {
  const runs = context.service('runs');
  const conflicts = new Map<string, number>();

  /** A list inside a root block of the discovery document, e.g. `aiProviders.byok`. */
  const offered = (block: string, list: string): readonly string[] => {
    const parts = context.contributions('capabilities').filter(({ id }) => id === block);
    const value = (mergeCapabilities(parts)[block] as JsonObject | undefined)?.[list];
    return Array.isArray(value) ? value.map((item: JsonValue) => String(item)) : [];
  };

  const routes = [
    createRunRoute({
      runs,
      bodyLimitBytes: context.config.bodyLimitBytes,
      providers: () => ({
        supported: offered('aiProviders', 'supported'),
        byok: offered('aiProviders', 'byok'),
      }),
      onConflict: (tenantId) => conflicts.set(tenantId, (conflicts.get(tenantId) ?? 0) + 1),
    }),
    listRunsRoute(runs),
    getRunRoute(runs),
    ...cancelRunRoutes(runs),
  ];
  for (const route of routes) context.register('routes', `${route.method} ${route.path}`, route);
  context.register(
    'middleware',
    'run-header-gates',
    headerGates(() => offered('testing', 'mockProviders')),
  );
  context.register('capabilities', 'testing', { forceEngineVersionRange: { ...FORCED_ENGINE_VERSIONS } });
  context.register('metrics', 'openwop_run_claim_conflicts_total', {
    name: 'openwop_run_claim_conflicts_total',
    help: 'Runs refused because X-Dedup found an active one (HTTP §9).',
    type: 'counter',
    collect: () =>
      [...conflicts].map(([tenant, value]) => ({
        value,
        labels: { transport: 'rest', openwop_tenant_id: tenant },
      })),
  });
}
