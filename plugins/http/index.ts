/** HTTP: serves the routes of all plugins, in the order of checks the protocol fixes (HTTP §4). */
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { documentRoutes } from './api-document.ts';
import type { HttpConfig } from './config.ts';
import './contract.ts';
import { Front } from './front.ts';
import { LiveRoutes } from './live-routes.ts';
import { HttpMetrics } from './metrics.ts';
import { createServer, type Server } from './server.ts';

export function activate(context: PluginContext<HttpConfig>): void {
  const { config, logger } = context;
  const metrics = new HttpMetrics();
  const routes = new LiveRoutes(context, metrics);
  const address = (): string => server.address();
  const front = new Front(config, routes, metrics, logger, address);
  const server: Server = createServer(config, front.serve, () => {
    metrics.refusedConnections++;
  });

  for (const route of documentRoutes(context.plugin.version, () => routes.routes)) {
    context.register('routes', `${route.method} ${route.path}`, route);
  }
  for (const metric of metrics.list()) context.register('metrics', metric.name, metric);
  context.provide('httpServer', { address });

  context.onServe(async () => {
    if (routes.authenticators.length === 0) {
      logger.warn('no plugin authenticates callers: every endpoint that needs a key answers 401');
    }
    await server.listen();
    logger.info({ address: address() }, 'listening');
    routes.warmUp(context.signal).catch((err) => logger.error({ err }, 'compiling route schemas failed'));
  });
  context.onDrain(async () => {
    front.stop();
    await server.close();
  });
  context.effect('HTTP server', async () => {
    front.stop();
    server.destroy();
    await server.close();
  });
}
