// A run this host cannot execute (its definition is damaged, say) is given back, not held, and goes on once it can be executed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { finishedLog, startEmbedded } from '../faults/embedded.ts';
import { delayed } from '../faults/workflows.ts';

it('is parked for a while without owner, its log untouched, and finishes after the repair', {
  timeout: 30_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wopr-unexecutable-'));
  const store = join(dataDir, 'wopr.sqlite');
  let kernel = await startEmbedded(dataDir);
  try {
    await kernel.services.workflows.register(delayed, null);
    const { runId } = await kernel.services.runs.create({
      workflowId: delayed.id,
      tenantId: 'default',
      inputs: {},
      options: {},
      transport: 'rest',
    });
    await kernel.stop();
    const written = edit(store, 'select definition from workflow_definitions')?.definition;
    edit(store, 'delete from workflow_definitions');

    kernel = await startEmbedded(dataDir);
    const { log } = kernel.services;
    const before = log.read(runId).length;
    await expect
      .poll(() => log.run(runId)?.wakeAt ?? 0, { timeout: 10_000 })
      .toBeGreaterThan(Date.now() + 10_000);
    expect(log.run(runId)?.owner).toBeNull();
    expect(log.read(runId)).toHaveLength(before);
    await kernel.stop();

    const digest = edit(store, 'select digest from workflow_versions')?.digest;
    edit(
      store,
      'insert into workflow_definitions (digest, definition) values (?, ?)',
      String(digest),
      String(written),
    );
    edit(store, 'update runs set wake_at = 1');
    kernel = await startEmbedded(dataDir);
    expect((await finishedLog(kernel, runId)).at(-1)?.type).toBe('run.completed');
  } finally {
    await kernel.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

function edit(path: string, sql: string, ...values: string[]): Record<string, unknown> | undefined {
  const db = new DatabaseSync(path);
  try {
    return db.prepare(sql).get(...values);
  } finally {
    db.close();
  }
}
