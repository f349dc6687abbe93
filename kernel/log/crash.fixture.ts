/** A process that creates and finishes runs as fast as it can and reports each finished one, until it is killed. */
import { openStore } from './index.ts';
import { completed, entries, entry, newRun, projection, silent } from './testing.ts';

const [path = '', round = ''] = process.argv.slice(2);
const store = openStore({ path, logger: silent });
await store.claims.start();

async function work(lane: number): Promise<never> {
  for (let index = 0; ; index += 1) {
    const runId = `run-${round}-${lane}-${index}`;
    await store.log.createRun(newRun(runId));
    await store.log.append({ runId, entries: entries(runId, 1, 3), projection: projection() });
    await store.log.append({ runId, entries: [entry(runId, 3, 'run.completed', {})], projection: completed });
    process.send?.(runId);
  }
}
await Promise.all(Array.from({ length: 8 }, (_, lane) => work(lane)));
