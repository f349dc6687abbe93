import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import type { Dispatcher, NodeType } from '../dispatch/types.ts';
import type { WoprError } from '../errors.ts';
import { silent, temporaryStores } from '../log/testing.ts';
import type { Claims, EventLog } from '../log/types.ts';
import { Runs } from './service.ts';
import { Workflows } from './workflows.ts';

const WAIT_MS = 3_600_000;

const work: NodeType = {
  typeId: 'test.work',
  description: 'Executed by the dispatcher.',
  execute: () => ({ kind: 'completed', outputs: {} }),
};
const wait: NodeType = {
  typeId: 'test.wait',
  description: 'Longer than the test.',
  inline: true,
  execute: ({ startedAt }) => ({ kind: 'sleeping', until: startedAt + WAIT_MS }),
};
const types = new Map([work, wait].map((type) => [type.typeId, type]));

const node = (id: string, typeId: string) => ({
  id,
  typeId,
  name: id,
  position: { x: 0, y: 0 },
  config: {},
  inputs: {},
});
/** Works, then parks. */
const parking = {
  id: 'parking',
  name: 'parking',
  version: '1.0',
  nodes: [node('work', work.typeId), node('wait', wait.typeId)],
  edges: [{ id: 'on', sourceNodeId: 'work', targetNodeId: 'wait' }],
  triggers: [],
  variables: [],
  metadata: {},
  settings: {},
};

/** Ends at once. */
const short = { ...parking, id: 'short', nodes: [node('work', work.typeId)], edges: [] };

let stores: ReturnType<typeof temporaryStores>;
beforeEach(() => {
  stores = temporaryStores();
});
afterEach(() => stores.remove());

/** Runs on a store of their own; what is given stands in for the store's part of the same name. */
async function startRuns(instead: { append?: EventLog['append']; claim?: Claims['claim'] } = {}) {
  const store = stores.open();
  await store.claims.start();
  const workflows = new Workflows(store.database, () => ({
    nodeType: (typeId) => types.get(typeId),
    capabilities: new Set(),
  }));
  for (const definition of [parking, short]) await workflows.register(definition, null);
  const standIn = <T extends object>(part: T, methods: Partial<T>): T =>
    new Proxy(part, {
      get: (target, key) => {
        const value = methods[key as keyof T] ?? target[key as keyof T];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const dispatcher = {
    dispatch: async () => ({ kind: 'completed', outputs: {} }),
  } as unknown as Dispatcher;
  const runs = new Runs({
    log: standIn<EventLog>(store.log, instead.append ? { append: instead.append } : {}),
    expired: () => undefined,
    claims: standIn<Claims>(store.claims, instead.claim ? { claim: instead.claim } : {}),
    workflows,
    dispatcher: () => dispatcher,
    logger: silent,
    now: Date.now,
    maxLiveRuns: 10,
    maxNodeExecutions: 100,
    inline: true,
    onWake: () => {},
  });
  const create = (workflowId = 'parking') =>
    runs.create({ tenantId: 'acme', workflowId, inputs: {}, options: {}, transport: 'rest' });
  return { store, runs, create };
}

test('a cancel that arrives while the run is being parked is not left for later', async () => {
  let parked = 0;
  const { store, runs, create } = await startRuns({
    async append(request) {
      await store.log.append(request);
      if (!request.release || parked++ > 0) return;
      // The turn that parks has been decided and is durable; the driver does not know yet.
      await store.log.signal(request.runId, 'cancel', { by: 'somebody' });
      await runs.deliver(request.runId);
    },
  });
  const { runId } = await create();
  await eventually(() => runs.get(runId).status).toBe('cancelled');
  expect(parked).toBe(2);
});

test('a run whose claim arrives after the stop is not driven', async () => {
  let meanwhile = (): void => {};
  const { store, runs, create } = await startRuns({
    async claim(runId) {
      const claimed = await store.claims.claim(runId);
      meanwhile();
      return claimed;
    },
  });
  const { runId } = await create();
  await eventually(() => runs.get(runId).owner).toBe(null);
  expect(runs.stats().live).toBe(0);
  meanwhile = () => runs.stop();
  expect(await runs.take(runId)).toBe(false);
  expect(runs.stats().live).toBe(0);
  await store.claims.stop();
  expect(runs.get(runId)).toMatchObject({ owner: null, status: 'running' });
});

test('a finished run that retention removed is no longer shown', async () => {
  const { store, runs, create } = await startRuns();
  const { runId } = await create('short');
  await eventually(() => runs.snapshot(runId).status).toBe('completed');
  const stop = store.retention.start(-1, () => runs.forgetFinished());
  await eventually(() => store.retention.expired(runId)).toBeDefined();
  stop();
  await eventually(() => {
    try {
      return runs.header(runId).runId;
    } catch (error) {
      return (error as WoprError).code;
    }
  }).toBe('not_found');
  expect(() => runs.snapshot(runId)).toThrow('is visible');
});
