import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkEvent } from '../../schemas/validators.ts';
import type { RunEventDoc, Store } from './index.ts';
import {
  AT,
  completed,
  ending,
  entries,
  entry,
  header,
  newRun,
  projection,
  temporaryStores,
} from './testing.ts';

let stores: ReturnType<typeof temporaryStores>;
let store: Store;

beforeEach(() => {
  stores = temporaryStores();
  store = stores.open();
});
afterEach(() => stores.remove());

describe('createRun', () => {
  it('stores header, projection and events, and gives them back as they were', async () => {
    const options = {
      configurable: { model: 'x' },
      tags: ['a', 'b', 'a'],
      metadata: { team: 1 },
      callbackUrl: 'https://example.test/',
    };
    const request = newRun('r1', { header: header('r1', { scopeId: 'scope', test: true, options }) });
    await store.log.createRun(request);
    expect(store.log.run('r1')).toEqual({
      ...request.header,
      ...request.projection,
      nextSequence: 1,
      owner: store.claims.instanceId,
    });
    expect(store.log.read('r1')).toEqual(request.entries.map((each) => each.doc));
    expect(store.log.run('r2')).toBeUndefined();
    expect(store.log.read('r2')).toEqual([]);
  });

  it('refuses a second run with the same id and keeps the first', async () => {
    await store.log.createRun(newRun('r1'));
    const again = newRun('r1', { header: header('r1', { tenantId: 'other' }) });
    await expect(store.log.createRun(again)).rejects.toMatchObject({ code: 'conflict' });
    expect(store.log.run('r1')?.tenantId).toBe('acme');
    expect(store.log.read('r1')).toHaveLength(1);
  });

  it('leaves a released run without owner, and a finished one without owner and timer', async () => {
    await store.log.createRun(newRun('parked', { release: true, projection: projection({ wakeAt: 5 }) }));
    await store.log.createRun(newRun('done', { projection: { ...completed, wakeAt: 5 } }));
    expect(store.log.run('parked')).toMatchObject({ owner: null, wakeAt: 5 });
    expect(store.log.run('done')).toMatchObject({ owner: null, wakeAt: null });
  });
});

describe('append', () => {
  beforeEach(() => store.log.createRun(newRun('r1')));

  it('changes events and projection together', async () => {
    const error = { code: 'node_error', message: 'no', details: { a: [1] } };
    await store.log.append({
      runId: 'r1',
      entries: entries('r1', 1, 21),
      projection: projection({ status: 'waiting-input', currentNodeId: 'n1', error, wakeAt: 7 }),
    });
    expect(store.log.run('r1')).toMatchObject({
      status: 'waiting-input',
      currentNodeId: 'n1',
      error,
      wakeAt: 7,
      nextSequence: 21,
    });
    expect(store.log.read('r1').map((doc) => doc.sequence)).toEqual(
      Array.from({ length: 21 }, (_, index) => index),
    );
    expect(store.log.latest('r1')?.sequence).toBe(20);
  });

  it('refuses a sequence that is not the next, and writes nothing', async () => {
    for (const first of [0, 2]) {
      const request = { runId: 'r1', entries: entries('r1', first, first + 2), projection: completed };
      await expect(store.log.append(request)).rejects.toMatchObject({ code: 'claim_lost' });
    }
    expect(store.log.run('r1')).toMatchObject({ status: 'running', nextSequence: 1 });
    expect(store.log.read('r1')).toHaveLength(1);
  });

  it('refuses another owner, a released run and an ended run', async () => {
    const other = stores.open();
    await expect(other.log.append(ending('r1', 1))).rejects.toMatchObject({ code: 'claim_lost' });
    await store.log.append({ runId: 'r1', entries: [], projection: projection(), release: true });
    await expect(store.log.append(ending('r1', 1))).rejects.toMatchObject({ code: 'claim_lost' });
    await store.claims.claim('r1');
    await store.log.append(ending('r1', 1));
    await expect(
      store.log.append({ runId: 'r1', entries: entries('r1', 2, 3), projection: projection() }),
    ).rejects.toMatchObject({
      code: 'claim_lost',
    });
    expect(store.log.run('r1')).toMatchObject({ status: 'completed', nextSequence: 2, owner: null });
  });

  it('numbers concurrent appends to many runs without gap or repeat, whichever lose', async () => {
    const runs = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    await Promise.all(runs.map((runId) => store.log.createRun(newRun(runId))));
    const attempts = runs.flatMap((runId) =>
      [1, 1, 2, 3, 3].map((first) =>
        store.log.append({ runId, entries: entries(runId, first, first + 1), projection: projection() }),
      ),
    );
    const results = await Promise.allSettled(attempts);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(60);
    for (const runId of runs) expect(store.log.read(runId).map((doc) => doc.sequence)).toEqual([0, 1, 2, 3]);
  });

  it('keeps optional fields and unmasked payloads apart', async () => {
    const full: RunEventDoc = {
      ...entry('r1', 1, 'node.completed', { nodeId: 'n1', outputs: { key: '***' } }).doc,
      nodeId: 'n1',
      causationId: 'r1.0',
    };
    const bare: RunEventDoc = {
      eventId: 'r1.2',
      runId: 'r1',
      type: 'log.appended',
      payload: null,
      timestamp: AT,
      sequence: 2,
    };
    const given = [
      { doc: full, secret: { nodeId: 'n1', outputs: { key: 'real' } } },
      { doc: bare, secret: null },
    ];
    await store.log.append({ runId: 'r1', entries: given, projection: projection() });
    expect(store.log.read('r1', 1)).toEqual([full, bare]);
    expect(store.log.readEntries('r1', 1)).toEqual(given);
    expect(JSON.stringify(store.log.read('r1'))).not.toContain('real');
  });

  it('keeps the newest checkpoint', async () => {
    expect(store.log.checkpoint('r1')).toBeUndefined();
    const request = { runId: 'r1', entries: [], projection: projection() };
    await store.log.append({ ...request, checkpoint: { sequence: 1, state: { a: 1 } } });
    await store.log.append({ ...request, checkpoint: { sequence: 9, state: [2] } });
    await store.log.append(request);
    expect(store.log.checkpoint('r1')).toEqual({ sequence: 9, state: [2] });
  });

  it('reads pages from a sequence, bounded by default and at most', async () => {
    for (let first = 1; first < 1200; first += 300)
      await store.log.append({
        runId: 'r1',
        entries: entries('r1', first, first + 300),
        projection: projection(),
      });
    expect(store.log.read('r1')).toHaveLength(100);
    expect(store.log.read('r1', 50, 3).map((doc) => doc.sequence)).toEqual([50, 51, 52]);
    expect(store.log.read('r1', 0, 5000)).toHaveLength(1000);
    expect(store.log.read('r1', 1201)).toEqual([]);
  });

  it('refuses events it could not give back unchanged', async () => {
    const [one] = entries('r1', 1, 2);
    if (!one) throw new Error('no entry');
    for (const doc of [
      { ...one.doc, eventId: 'mine' },
      { ...one.doc, runId: 'other' },
      { ...one.doc, timestamp: '2026-01-02T03:04:05Z' },
    ])
      await expect(
        store.log.append({ runId: 'r1', entries: [{ doc }], projection: projection() }),
      ).rejects.toMatchObject({
        code: 'internal_error',
      });
    const gap = [...entries('r1', 1, 2), ...entries('r1', 3, 4)];
    await expect(
      store.log.append({ runId: 'r1', entries: gap, projection: projection() }),
    ).rejects.toMatchObject({
      code: 'internal_error',
    });
    expect(store.log.read('r1')).toHaveLength(1);
  });
});

describe('event validation', () => {
  it('refuses invalid events before anything is written', async () => {
    const strict = stores.open({ checkEvents: checkEvent });
    await strict.log.createRun(newRun('r1'));
    const invalid = { runId: 'r1', entries: [entry('r1', 1, 'node.started', {})], projection: projection() };
    await expect(strict.log.append(invalid)).rejects.toMatchObject({
      code: 'internal_error',
      details: { problems: expect.any(Array) },
    });
    await expect(
      strict.log.createRun(newRun('r2', { entries: [entry('r2', 0, 'run.started', {})] })),
    ).rejects.toMatchObject({
      code: 'internal_error',
    });
    expect(strict.log.read('r1')).toHaveLength(1);
    expect(strict.log.run('r2')).toBeUndefined();
  });
});

describe('runs', () => {
  beforeEach(async () => {
    for (const [runId, tenantId, workflowId, tags, end] of [
      ['r1', 'acme', 'demo', ['red'], true],
      ['r2', 'acme', 'other', ['red', 'blue'], false],
      ['r3', 'globex', 'demo', ['red'], false],
      ['r4', 'acme', 'demo', [], false],
    ] as const) {
      await store.log.createRun(
        newRun(runId, { header: header(runId, { tenantId, workflowId, options: { tags } }) }),
      );
      if (end) await store.log.append(ending(runId, 1));
    }
  });
  const ids = (filter: Parameters<Store['log']['runs']>[0]) => store.log.runs(filter).map((run) => run.runId);

  it.each([
    [{}, ['r4', 'r3', 'r2', 'r1']],
    [{ tenantId: 'acme' }, ['r4', 'r2', 'r1']],
    [{ tenantId: 'acme', status: ['running'] }, ['r4', 'r2']],
    [{ tenantId: 'acme', status: ['completed', 'failed'] }, ['r1']],
    [{ tenantId: 'acme', status: [] }, []],
    [{ tenantId: 'acme', workflowId: 'demo' }, ['r4', 'r1']],
    [{ tenantId: 'acme', tag: 'red' }, ['r2', 'r1']],
    [{ tag: 'red', status: ['running'] }, ['r3', 'r2']],
    [{ tenantId: 'acme', before: 'r4', limit: 1 }, ['r2']],
    [{ tenantId: 'nobody' }, []],
  ] as const)('filters by %j', (filter, expected) => {
    expect(ids(filter)).toEqual(expected);
  });

  it('never sorts, and finds rare statuses without walking the completed runs', () => {
    const plan = (sql: string) =>
      store.database
        .all<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}` })
        .map((row) => row.detail)
        .join('; ');
    const newest = 'ORDER BY run_id DESC LIMIT 50';
    expect(plan(`SELECT * FROM runs WHERE tenant_id = 'a' AND run_id < 'r' ${newest}`)).toMatch(
      /runs_by_(tenant|workflow)/,
    );
    expect(plan(`SELECT * FROM runs WHERE tenant_id = 'a' AND run_id < 'r' ${newest}`)).not.toContain(
      'TEMP B-TREE',
    );
    expect(plan(`SELECT * FROM runs WHERE tenant_id = 'a' AND workflow_id = 'w' ${newest}`)).not.toContain(
      'TEMP B-TREE',
    );
    expect(
      plan(
        `SELECT * FROM runs WHERE tenant_id = 'a' AND status IN ('failed') AND status <> 'completed' ${newest}`,
      ),
    ).toContain('runs_not_completed');
  });
});

describe('dedup', () => {
  const scoped = (runId: string, tenantId = 'acme') =>
    newRun(runId, { dedup: true, header: header(runId, { scopeId: 's', tenantId }) });

  it('allows one active run per tenant and scope', async () => {
    let now = 1_000_000;
    const clocked = stores.open({ now: () => now, claimTtlMs: 10_000 });
    await clocked.claims.start();
    await clocked.log.createRun(scoped('r1'));
    now += 2_500;
    await expect(clocked.log.createRun(scoped('r2'))).rejects.toMatchObject({
      code: 'run_already_active',
      details: { activeRunId: 'r1', activeHost: 'cloud', retryAfter: 8 },
      retryAfterSeconds: 8,
    });
    expect(clocked.log.run('r2')).toBeUndefined();
    await clocked.log.createRun(scoped('r3', 'globex'));
    await clocked.log.createRun(newRun('r4', { header: header('r4', { scopeId: 's' }) }));
    await clocked.log.append(ending('r1', 1));
    await clocked.log.createRun(scoped('r5'));
    await expect(clocked.log.createRun(scoped('r6'))).rejects.toMatchObject({
      details: { activeRunId: 'r5' },
    });
  });

  it('lets exactly one of concurrent creates win, in one group and across instances', async () => {
    const other = stores.open();
    await store.claims.start();
    await other.claims.start();
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 ? store : other).log.createRun(scoped(`r${index}`)),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(store.log.runs({})).toHaveLength(1);
  });

  it('stays with a parked run and is replaced when the lease of the owner expired', async () => {
    let now = 1_000_000;
    const dying = stores.open({ now: () => now, claimTtlMs: 10_000 });
    const living = stores.open({ now: () => now, claimTtlMs: 10_000 });
    await dying.claims.start();
    await dying.log.createRun(scoped('r1'));
    await dying.log.append({
      runId: 'r1',
      entries: [],
      projection: projection({ wakeAt: now + 99_999 }),
      release: true,
    });
    now += 20_000;
    await expect(living.log.createRun(scoped('r2'))).rejects.toMatchObject({
      details: { activeRunId: 'r1', retryAfter: 10 },
    });
    await dying.claims.claim('r1');
    await living.log.createRun(scoped('r3'));
    await living.claims.start();
    await expect(living.log.createRun(scoped('r4'))).rejects.toMatchObject({
      details: { activeRunId: 'r3' },
    });
    // The end of the replaced run must not free what is no longer its own.
    await dying.log.append(ending('r1', 1));
    await expect(living.log.createRun(scoped('r5'))).rejects.toMatchObject({
      details: { activeRunId: 'r3' },
    });
  });
});

describe('signals', () => {
  it('are kept until consumed by an append, and end with the run', async () => {
    await store.log.createRun(newRun('r1'));
    const first = await store.log.signal('r1', 'cancel', { by: 'me' });
    const second = await store.log.signal('r1', 'cancel', {});
    expect(second).toBeGreaterThan(first);
    expect(store.log.signals('r1')).toMatchObject([
      { signalId: first, kind: 'cancel', payload: { by: 'me' } },
      { signalId: second },
    ]);
    await store.log.append({ runId: 'r1', entries: [], projection: projection(), consumedSignals: [first] });
    expect(store.log.signals('r1').map((signal) => signal.signalId)).toEqual([second]);
    await store.log.append(ending('r1', 1));
    expect(store.log.signals('r1')).toEqual([]);
    await expect(store.log.signal('r1', 'cancel', {})).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.log.signal('nobody', 'cancel', {})).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('taps', () => {
  it('hear committed events in order and cannot break the log', async () => {
    const heard: string[] = [];
    store.log.tap(() => {
      throw new Error('broken tap');
    });
    const off = store.log.tap((runId, events) => {
      for (const doc of events)
        heard.push(`${runId}/${doc.sequence}/${store.log.read(runId, doc.sequence).length > 0}`);
    });
    await store.log.createRun(newRun('r1'));
    const appends = [
      store.log.append({ runId: 'r1', entries: entries('r1', 1, 3), projection: projection() }),
      store.log.append({ runId: 'r1', entries: entries('r1', 3, 4), projection: projection() }),
      store.log.append({ runId: 'r1', entries: entries('r1', 3, 4), projection: projection() }),
    ];
    await Promise.allSettled(appends);
    off();
    await store.log.append(ending('r1', 4));
    expect(heard).toEqual(['r1/0/true', 'r1/1/true', 'r1/2/true', 'r1/3/true']);
  });
});
