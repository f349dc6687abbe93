// A process killed right before and right after every single commit of a run: the log ends as if nothing had happened.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CrashOrder } from './crash-child.ts';
import { finishedLog, runOnce, startEmbedded } from './embedded.ts';
import { happenings } from './story.ts';
import { workflow } from './workflows.ts';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const TTL_MS = 150;

/** Parks twice (retry, delay), branches, merges and writes a variable. */
const eventful = workflow(
  'eventful',
  [
    ['shaky', 'core.fail', { retryable: true, times: 1 }, {}, { retryDelayMs: 20, maxRetries: 1 }],
    ['wait', 'core.delay', { delayMs: 30 }],
    ['side', 'core.identity', {}, { value: { type: 'static', value: 1 } }],
    ['join', 'core.merge'],
    ['set', 'core.setVariable', { name: 'seen' }],
  ],
  [
    ['shaky', 'wait'],
    ['shaky', 'side'],
    ['wait', 'join'],
    ['side', 'join'],
    ['join', 'set'],
  ],
  { variables: [{ name: 'seen', type: 'object', defaultValue: {} }] },
);

let folder: string;
/** A store that knows the workflow and has no runs; each crash gets a copy. */
let blank: string;
let expected: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wopr-crash-'));
  blank = join(folder, 'blank');
  const kernel = await startEmbedded(blank);
  await kernel.services.workflows.register(eventful, null);
  await kernel.stop();
  const other = await startEmbedded(join(folder, 'undisturbed'));
  expected = happenings(await runOnce(other, eventful));
  await other.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.concurrent.each([
  { inline: true, least: 3 },
  { inline: false, least: 8 },
])('engine.inline $inline', ({ inline, least }) => {
  it.concurrent.each(['before', 'after'] as const)(
    'recovers from a crash %s any commit',
    { timeout: 90_000 },
    async (moment) => {
      let crashes = 0;
      for (let commit = 0; ; commit++) {
        const dataDir = join(folder, `${inline}-${moment}-${commit}`);
        cpSync(blank, dataDir, { recursive: true });
        const order = { dataDir, workflowId: eventful.id, inline, ttlMs: TTL_MS, commit, moment };
        if (!(await crashed(order))) break;
        crashes++;
        await expectRecovery(order);
      }
      expect(crashes).toBeGreaterThanOrEqual(least);
    },
  );
});

/** False when the run ended before the crash was due. */
async function crashed(order: CrashOrder): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (signal === 'SIGKILL') return true;
  if (code !== 0) throw new Error(`The child ended with ${code ?? signal}: ${said}`);
  return false;
}

/** Another process takes the run over and ends it; what the dead one had committed is kept as it was. */
async function expectRecovery({ dataDir, inline, commit, moment }: CrashOrder): Promise<void> {
  const kernel = await startEmbedded(dataDir, { 'engine.inline': inline, 'claims.ttlMs': TTL_MS });
  try {
    const runs = kernel.services.runs.list({});
    const where = `crash ${moment} commit ${commit}`;
    if (commit === 0 && moment === 'before') return expect(runs, where).toEqual([]);
    expect(runs, where).toHaveLength(1);
    const events = await finishedLog(kernel, runs[0]?.runId ?? '');
    expect(happenings(events), where).toEqual(expected);
    expect(
      events.map(({ sequence }) => sequence),
      where,
    ).toEqual(events.map((_, index) => index));
    expect(events.filter(({ type }) => type === 'run.resumed').length, where).toBeLessThanOrEqual(1);
  } finally {
    await kernel.stop();
  }
}
