import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkIntegrity, type Store } from './index.ts';
import { completed, ending, entries, entry, header, newRun, projection, temporaryStores } from './testing.ts';

let stores: ReturnType<typeof temporaryStores>;
let store: Store;

beforeEach(() => {
  stores = temporaryStores();
  store = stores.open();
});
afterEach(() => stores.remove());

const finished = (runId: string, createdAt: string, completedAt: string) =>
  newRun(runId, {
    header: header(runId, { createdAt, options: { tags: ['t'] } }),
    entries: [entry(runId, 0, 'run.started', { workflowId: 'demo' }), entry(runId, 1, 'run.completed', {})],
    projection: { ...completed, completedAt },
    checkpoint: { sequence: 1, state: {} },
  });

describe('retention', () => {
  it('removes old finished runs with all they own, and remembers them', async () => {
    for (let index = 0; index < 450; index += 1)
      await store.log.createRun(
        finished(`r0-${1000 + index}`, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'),
      );
    await store.log.createRun(
      newRun('r1-waiting', { header: header('r1-waiting', { createdAt: '2026-01-01T00:00:00.000Z' }) }),
    );
    await store.log.createRun(finished('r2-lasting', '2026-01-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'));
    await store.log.createRun(finished('r3-young', '2026-02-02T00:00:00.000Z', '2026-02-02T00:00:00.000Z'));
    expect(await store.retention.prune(new Date('2026-02-01T00:00:00.000Z'))).toBe(450);
    expect(store.log.runs({ limit: 200 }).map((run) => run.runId)).toEqual([
      'r3-young',
      'r2-lasting',
      'r1-waiting',
    ]);
    expect(store.log.read('r0-1007')).toEqual([]);
    expect(store.log.checkpoint('r0-1007')).toBeUndefined();
    expect(store.database.get({ sql: 'SELECT count(*) AS n FROM run_tags' })).toEqual({ n: 2 });
    expect(store.retention.expired('r0-1007')).toEqual({ tenantId: 'acme', expiredAt: expect.any(String) });
    expect(store.retention.expired('r1-waiting')).toBeUndefined();
    expect(store.retention.expired('nobody')).toBeUndefined();
    expect(checkIntegrity(store.database)).toEqual([]);
    expect(await store.retention.prune(new Date('2026-02-01T00:00:00.000Z'))).toBe(0);
  });

  it('runs by itself', async () => {
    const clocked = stores.open({ now: () => Date.parse('2026-03-01T00:00:00.000Z') });
    await clocked.log.createRun(finished('r1', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'));
    await clocked.log.createRun(finished('r2', '2026-02-28T00:00:00.000Z', '2026-02-28T00:00:00.000Z'));
    const onPruned = vi.fn();
    const stop = clocked.retention.start(30, onPruned);
    // The first pass was queued before this write, so it is over when this one is.
    await clocked.database.write(() => 0);
    stop();
    await vi.waitFor(() => expect(onPruned).toHaveBeenCalledOnce());
    expect(clocked.retention.expired('r1')?.expiredAt).toBe('2026-03-01T00:00:00.000Z');
    expect(clocked.log.run('r2')).toBeDefined();
  });
});

describe('integrity', () => {
  beforeEach(async () => {
    await store.log.createRun(newRun('r1', { dedup: true, header: header('r1', { scopeId: 's' }) }));
    await store.log.append({ runId: 'r1', entries: entries('r1', 1, 6), projection: projection() });
    await store.log.createRun(newRun('r2'));
    await store.log.append(ending('r2', 1));
  });

  it('is content with a sound store', () => {
    expect(checkIntegrity(store.database)).toEqual([]);
  });

  it.each([
    ['sequences', 'r1', `DELETE FROM events WHERE run_id = 'r1' AND sequence = 3`],
    ['sequences', 'r1', `UPDATE runs SET next_sequence = 9 WHERE run_id = 'r1'`],
    ['sequences', 'r1', `DELETE FROM events WHERE run_id = 'r1'`],
    ['terminal-event', 'r1', `UPDATE events SET type = 'run.failed' WHERE run_id = 'r1' AND sequence = 2`],
    ['terminal-event', 'r2', `UPDATE runs SET status = 'failed' WHERE run_id = 'r2'`],
    ['terminal-event', 'r2', `UPDATE runs SET status = 'running' WHERE run_id = 'r2'`],
    ['terminal-run', 'r2', `UPDATE runs SET owner = 'x' WHERE run_id = 'r2'`],
    [
      'terminal-run',
      'r2',
      `INSERT INTO signals (run_id, kind, payload, created_at) VALUES ('r2', 'k', '{}', '')`,
    ],
    ['orphan-events', 'r2', `DELETE FROM runs WHERE run_id = 'r2'`],
    ['payloads', 'r2', `UPDATE events SET payload = '{' WHERE run_id = 'r2' AND sequence = 0`],
  ])('finds %s of %s after %s', async (check, runId, sql) => {
    await store.database.write((tx) => tx.run({ sql }));
    expect(checkIntegrity(store.database)).toContainEqual({
      check,
      runId,
      message: expect.stringMatching(/\w/),
    });
  });

  it('finds references to missing rows', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const raw = new DatabaseSync(stores.path, { enableForeignKeyConstraints: false });
    raw.exec(`INSERT INTO dedup_claims VALUES ('acme', 'gone', 'nobody')`);
    raw.close();
    expect(checkIntegrity(store.database)).toEqual([
      { check: 'references', message: expect.stringContaining('dedup_claims') },
    ]);
  });
});

describe('checkpoints', () => {
  it('keep the WAL short under load without losing anything', async () => {
    const payload = { level: 'info', message: 'x'.repeat(3_000) };
    await store.log.createRun(newRun('r1'));
    for (let first = 1; first < 24_001; first += 100) {
      const batch = Array.from({ length: 100 }, (_, index) =>
        entry('r1', first + index, 'log.appended', payload),
      );
      await store.log.append({ runId: 'r1', entries: batch, projection: projection() });
    }
    // 24,000 events of 3 kB are more than 70 MB; 12,000 pages is where commits would copy themselves.
    expect(statSync(`${stores.path}-wal`).size).toBeLessThan(60_000_000);
    expect(statSync(stores.path).size).toBeGreaterThan(30_000_000);
    await stores.close(store);
    const again = stores.open();
    expect(again.log.run('r1')?.nextSequence).toBe(24_001);
    expect(checkIntegrity(again.database)).toEqual([]);
  });
});

describe('kill -9', () => {
  it('loses nothing acknowledged and keeps nothing half', async () => {
    for (let round = 0; round < 4; round += 1) {
      const child = fork(join(import.meta.dirname, 'crash.fixture.ts'), [stores.path, String(round)], {
        silent: true,
      });
      const acknowledged: string[] = [];
      const exited = once(child, 'exit');
      child.on('message', (runId: string) => {
        acknowledged.push(runId);
        if (acknowledged.length === 300) child.kill('SIGKILL');
      });
      const [, signal] = await exited;
      expect(signal).toBe('SIGKILL');
      for (const runId of acknowledged) {
        expect(store.log.run(runId)).toMatchObject({ status: 'completed', nextSequence: 4 });
        expect(store.log.read(runId).map((doc) => doc.sequence)).toEqual([0, 1, 2, 3]);
      }
      const damage = checkIntegrity(store.database);
      expect(damage).toEqual([]);
      // Every run is there as far as some commit brought it.
      for (const run of store.log.runs({ status: ['running'], limit: 200 }))
        expect([1, 3]).toContain(run.nextSequence);
      await stores.close(store);
      store = stores.open();
    }
  });
});
