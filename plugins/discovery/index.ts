/** Discovery: what this host supports, as the sum of its active plugins (HTTP §12). */
import { WoprError } from '../../kernel/errors.ts';
import type { Route } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { Capabilities } from '../../schemas/capabilities.ts';
import { compileSchema, problemsOf } from '../../schemas/validators.ts';
import { clientFloor } from './client-floor.ts';
import { buildDocument, type DiscoveryDocument } from './document.ts';

export interface DiscoveryConfig {
  readonly vendor: string;
}

export function activate(context: PluginContext<DiscoveryConfig>): void {
  const { config, logger } = context;
  const { version, maxNodeExecutions } = context.service('host');
  let current: DiscoveryDocument | undefined;

  const build = (): DiscoveryDocument => {
    const built = buildDocument(
      { version, maxNodeExecutions, vendor: config.vendor },
      context.contributions('capabilities'),
    );
    // A plugin's mistake must not take the document away from everybody, but it must be seen.
    const problems = problemsOf(compileSchema(Capabilities, { allErrors: true }), built.document);
    if (problems !== null)
      logger.error({ problems }, 'the discovery document does not have its protocol form');
    return built;
  };
  context.onChange('capabilities', () => {
    current = undefined;
  });
  context.register('routes', 'GET /.well-known/openwop', {
    ...route,
    handle: () => {
      try {
        current ??= build();
      } catch (cause) {
        logger.error({ err: cause }, 'the discovery document cannot be built');
        throw new WoprError('service_unavailable', 'The discovery document cannot be built at the moment.', {
          cause,
        });
      }
      const { json, etag } = current;
      return { status: 200, json, headers: { ...CACHING, etag, 'capabilities-etag': etag } };
    },
  });
  context.register('middleware', clientFloor.name, clientFloor);
  // Contradicting plugins stop the boot, with their names, rather than the first client.
  context.onReady(() => {
    current = build();
  });
}

const CACHING = { 'cache-control': 'public, max-age=300' };

const route: Omit<Route, 'handle'> = {
  method: 'GET',
  path: '/.well-known/openwop',
  operationId: 'getCapabilities',
  summary: 'What this host supports',
  tags: ['discovery'],
  scopes: null,
  unshedded: true,
  responses: {
    200: { description: 'The discovery document.', schema: Capabilities },
    304: { description: 'Not changed since the ETag in If-None-Match.' },
  },
};
