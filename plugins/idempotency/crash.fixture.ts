// A host that dies by SIGKILL after it created the run of a keyed request and before it stored the answer. Prints the run's id.
import { writeSync } from 'node:fs';
import { startWopr } from '../../test/support/wopr.ts';

const [dataDir = ''] = process.argv.slice(2);

const wopr = await startWopr({
  dataDir,
  config: { 'plugins.idempotency.config.leaseMs': 500, 'claims.ttlMs': 500 },
  prepare: (kernel) => {
    const middleware = {
      name: 'dies-after-creating',
      stage: 'execution',
      order: 15,
      handle: async (_request, _route, next) => {
        const { body } = await next();
        writeSync(1, (body as { runId: string }).runId);
        process.kill(process.pid, 'SIGKILL');
        return new Promise(() => {});
      },
    } satisfies Parameters<typeof kernel.extensions.add<'middleware'>>[1]['value'];
    kernel.extensions.add('middleware', { id: middleware.name, plugin: 'test', value: middleware });
  },
});
await wopr.post(
  '/v1/runs',
  { workflowId: 'conformance-noop' },
  { headers: { 'idempotency-key': 'survives' } },
);
