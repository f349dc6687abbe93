// A host killed at random moments under load loses nothing it acknowledged and does nothing twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFailed } from 'vitest';
import { HostChild } from '../support/host-child.ts';
import { createRandom, type Random } from '../support/random.ts';
import { auditStore } from './audit.ts';
import { runOnce, startEmbedded } from './embedded.ts';
import { type Promised, startRuns } from './load.ts';
import { happenings } from './story.ts';
import { branching, delayed, failing, looping, noop, retried } from './workflows.ts';

const KILLS = Number(process.env.WOPR_FAULT_KILLS ?? 50);
const RUNS = Number(process.env.WOPR_FAULT_RUNS ?? 2000);
const CLIENTS = 16;
const KEY = 'hk_test_durability';
const WORKFLOWS = [noop, delayed, retried, branching, looping, failing];

/** Some hosts die while they start and take runs over, most while they work. */
const DIES_STARTING = 0.15;
const STARTING_MS = 700;
const WORKING_MS = 600;

let folder: string;
let host: HostChild | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wopr-durability-'));
});
afterEach(async () => {
  await host?.kill();
  rmSync(folder, { recursive: true, force: true });
});

it(`survives ${KILLS} kills under load`, { timeout: 60_000 + KILLS * 4_000 }, async () => {
  const random = createRandom();
  onTestFailed(() => console.error(`repeat the choices with WOPR_SEED=${random.seed}`));
  const expected = await undisturbed(join(folder, 'undisturbed'));

  const dataDir = join(folder, 'data');
  await register(dataDir);
  const promised: Promised = { runs: new Set(), keys: new Map(), cancelled: new Set(), wrong: [] };
  let url: string | undefined;
  let over = false;
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    startRuns(`client-${index}`, {
      key: KEY,
      workflows: WORKFLOWS.map(({ id }) => id),
      cancellable: delayed.id,
      random: createRandom(random.int(0, 2 ** 31)),
      url: () => url,
      over: () => over,
      promised,
    }),
  );
  let kills = 0;
  while (kills < KILLS || promised.runs.size < RUNS) {
    host = start(dataDir, random);
    if (random.chance(DIES_STARTING)) await sleep(random.int(50, STARTING_MS));
    else {
      url = await host.ready();
      await sleep(random.int(10, WORKING_MS));
    }
    url = undefined;
    await host.kill();
    kills++;
  }

  // One more host, which nobody kills, finishes what is left.
  host = start(dataDir, random);
  url = await host.ready();
  over = true;
  await Promise.all(clients);
  await allEnded(join(dataDir, 'wopr.sqlite'));
  await host.stop();

  const { runs, problems } = await auditStore(join(dataDir, 'wopr.sqlite'), expected);
  expect(problems.slice(0, 20)).toEqual([]);
  expect(promised.wrong).toEqual([]);
  expect([...promised.runs].filter((runId) => !runs.has(runId))).toEqual([]);
  expect([...promised.cancelled].filter((runId) => runs.get(runId)?.status !== 'cancelled')).toEqual([]);

  const runsOfKey = Map.groupBy(
    [...runs.values()].filter(({ tags }) => tags.length > 0),
    ({ tags }) => tags[0] as string,
  );
  expect([...runsOfKey].filter(([, each]) => each.length > 1)).toEqual([]);
  for (const [key, runId] of promised.keys) expect(runsOfKey.get(key)?.[0]?.runId).toBe(runId);

  // The test means something only if the kills met work in progress.
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(promised.runs.size).toBeGreaterThanOrEqual(RUNS);
  const resumed = [...runs.values()].filter(({ events }) =>
    events.some(({ type }) => type === 'run.resumed'),
  );
  console.info(
    `${kills} kills, ${promised.runs.size} acknowledged runs, ${runs.size} stored, ${promised.keys.size} keys, ${resumed.length} runs taken over`,
  );
  expect(resumed.length).toBeGreaterThan(0);
});

function start(dataDir: string, random: Random): HostChild {
  return new HostChild({
    dataDir,
    key: KEY,
    env: {
      OPENWOP_CLAIM_TTL_MS: '400',
      OPENWOP_PLUGINS__HTTP__CONFIG__ACCESS_LOG: 'off',
      OPENWOP_ENGINE__INLINE: String(random.chance(0.5)),
      OPENWOP_PLUGINS__IDEMPOTENCY__CONFIG__LEASE_MS: '500',
      OPENWOP_PLUGINS__OPS__CONFIG__SERVER: 'false',
    },
  });
}

/** What each workflow's log holds when nothing goes wrong. */
async function undisturbed(dataDir: string): Promise<Map<string, string[]>> {
  const kernel = await startEmbedded(dataDir);
  const expected = new Map<string, string[]>();
  for (const workflow of WORKFLOWS) expected.set(workflow.id, happenings(await runOnce(kernel, workflow)));
  await kernel.stop();
  return expected;
}

async function register(dataDir: string): Promise<void> {
  const kernel = await startEmbedded(dataDir);
  for (const workflow of WORKFLOWS) await kernel.services.workflows.register(workflow, null);
  await kernel.stop();
}

async function allEnded(path: string): Promise<void> {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  const left = db.prepare(
    "SELECT count(*) AS runs FROM runs WHERE status NOT IN ('completed', 'failed', 'cancelled')",
  );
  const deadline = performance.now() + 20_000;
  for (let runs = Number.NaN; runs !== 0; ) {
    runs = Number(left.get()?.runs);
    if (runs !== 0 && performance.now() > deadline) throw new Error(`${runs} runs have not ended.`);
    await sleep(50);
  }
  db.close();
}
