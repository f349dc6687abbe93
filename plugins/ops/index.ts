/** Operations: liveness, readiness and metrics, on the main port for load balancers and on a port of their own for operators. */
import { Type } from 'typebox';
import type { Route } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { AnyObject } from '../../schemas/json.ts';
import './contract.ts';
import { METRICS_CONTENT_TYPE, renderMetrics } from './metrics.ts';
import { publicView, readiness } from './readiness.ts';
import { createOpsServer, type Page } from './server.ts';

export interface OpsConfig {
  readonly server: boolean;
  readonly host: string;
  readonly port: number;
}

export function activate(context: PluginContext<OpsConfig>): void {
  const { config, logger } = context;
  const host = context.service('host');
  /** Why the ops port is not open although it should be. */
  let problem: string | undefined;

  const current = () =>
    readiness(
      host,
      context.contributions('healthChecks').map(({ value }) => value),
    );
  const statusOf = ({ status }: { readonly status: string }) => (status === 'unavailable' ? 503 : 200);
  const server = createOpsServer(
    {
      '/healthz': () => json(200, ALIVE),
      '/readyz': () => {
        const state = current();
        return json(statusOf(state), state);
      },
      '/metrics': async () => {
        const metrics = context.contributions('metrics').map(({ value }) => value);
        const text = await renderMetrics(metrics, (metric, err) =>
          logger.error({ err, metric }, 'reading a metric failed'),
        );
        return { status: 200, contentType: METRICS_CONTENT_TYPE, text };
      },
    },
    (path, err) => logger.error({ err, path }, 'an ops request failed'),
  );

  context.provide('ops', { address: () => server.address() });
  context.register('routes', 'GET /healthz', { ...healthz, handle: () => ({ status: 200, body: ALIVE }) });
  context.register('routes', 'GET /readyz', {
    ...readyz,
    handle: () => {
      const state = current();
      return { status: statusOf(state), body: publicView(state), headers: { 'cache-control': 'no-store' } };
    },
  });
  context.register('healthChecks', 'ops-server', {
    name: 'ops-server',
    check: () => (problem === undefined ? { status: 'ok' } : { status: 'degraded', detail: problem }),
  });
  context.effect('ops server', () => server.close());

  context.onServe(async () => {
    if (!config.server) return;
    try {
      await server.listen(config.host, config.port);
      logger.info({ address: server.address() }, 'ops port open');
    } catch (error) {
      // Running workflows matters more than being measured: the host starts, and says in /readyz what is missing.
      problem = `the ops port ${config.host}:${config.port} cannot be opened: ${(error as Error).message}`;
      logger.warn(`${problem}; set plugins.ops.config.port to another one`);
    }
  });
}

const ALIVE = { status: 'alive' };

const json = (status: number, value: unknown): Page => ({
  status,
  contentType: 'application/json',
  text: JSON.stringify(value),
});

const probe = { method: 'GET', tags: ['operations'], scopes: null, unshedded: true } as const;

const healthz: Omit<Route, 'handle'> = {
  ...probe,
  path: '/healthz',
  operationId: 'getLiveness',
  summary: 'Whether the process answers',
  responses: { 200: { description: 'It does.', schema: Type.Object({ status: Type.String() }) } },
};

const readyz: Omit<Route, 'handle'> = {
  ...probe,
  path: '/readyz',
  operationId: 'getReadiness',
  summary: 'Whether the host takes traffic, and what is degraded',
  responses: {
    200: { description: 'It does.', schema: AnyObject },
    503: { description: 'It is starting, stopping or broken.', schema: AnyObject },
  },
};
