import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openStore } from '../../kernel/log/index.ts';
import { startWopr } from '../../test/support/wopr.ts';

test('a run that retention removed is gone for its tenant, and unknown to others', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wopr-retention-'));
  const before = await startWopr({ dataDir });
  const runId = await before.run('conformance-noop');
  await before.finished(runId);
  const path = join(dataDir, 'wopr.sqlite');
  await before.stop();

  const store = openStore({ path, logger: pino({ level: 'silent' }) });
  expect(await store.retention.prune(new Date(Date.now() + 1_000))).toBe(1);
  await store.close();

  const after = await startWopr({ dataDir });
  try {
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/events'],
      ['GET', '/events/poll'],
      ['POST', '/cancel'],
    ] as const) {
      const own = await after.ask(`/v1/runs/${runId}${suffix}`, { method });
      expect(own).toMatchObject({ status: 410, json: { error: 'gone' } });
      expect(Date.parse(own.json.details.expiredAt)).toBeGreaterThan(0);
      const foreign = await after.ask(`/v1/runs/${runId}${suffix}`, { method, as: 'stranger' });
      expect(foreign).toMatchObject({ status: 404, json: { error: 'not_found' } });
    }
  } finally {
    await after.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
