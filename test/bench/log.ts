// Events appended to the log per second against the same rows inserted with plain node:sqlite, in transactions of the same size.
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { pino } from 'pino';
import { openStore } from '../../kernel/log/index.ts';
import { EVENT_COLUMNS, eventParameters } from '../../kernel/log/rows.ts';
import { entries, newRun, projection } from '../../kernel/log/testing.ts';
import { withTempDir } from './process.ts';
import { report } from './report.ts';

/** Runs that append at the same time, and events of one append: what a busy host with short nodes does. */
const RUNS = 64;
const EVENTS = 4;
const ROUNDS = 400;
const SECOND = 1000;

/** True when it meets its target. */
export function benchLog(): Promise<boolean> {
  return withTempDir(async (dir) => {
    // Two passes each, of which the second counts: the first one compiles, and grows the files.
    let raw = 0;
    let appended = 0;
    for (const pass of ['warm', 'measured']) {
      raw = insertRaw(join(dir, `raw-${pass}.sqlite`));
      appended = await append(join(dir, `log-${pass}.sqlite`));
    }
    return report({
      name: 'append alone, against raw batched inserts',
      value: (100 * appended) / raw,
      atLeast: 40,
      unit: '%',
      detail: `${appended.toFixed(0)} against ${raw.toFixed(0)} events/s, ${RUNS * EVENTS} per transaction`,
    });
  });
}

/** Events per second. */
async function append(path: string): Promise<number> {
  const store = openStore({ path, logger: pino({ level: 'silent' }) });
  const runs = Array.from({ length: RUNS }, (_, index) => `run_${index}`);
  await Promise.all(runs.map((runId) => store.log.createRun(newRun(runId))));
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    runs.map((runId) => ({
      runId,
      entries: entries(runId, 1 + round * EVENTS, 1 + (round + 1) * EVENTS),
      projection: projection(),
    })),
  );
  const start = performance.now();
  for (const round of rounds) await Promise.all(round.map((request) => store.log.append(request)));
  const seconds = (performance.now() - start) / SECOND;
  await store.close();
  return (ROUNDS * RUNS * EVENTS) / seconds;
}

/** Events per second: the same columns, one prepared statement, one transaction per round, as durable. */
function insertRaw(path: string): number {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec(`CREATE TABLE events (${EVENT_COLUMNS.join(', ')}, PRIMARY KEY (run_id, sequence)) WITHOUT ROWID`);
  const insert = db.prepare(`INSERT INTO events VALUES (${EVENT_COLUMNS.map(() => '?').join(', ')})`);
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    Array.from({ length: RUNS }, (_, index) =>
      entries(`run_${index}`, 1 + round * EVENTS, 1 + (round + 1) * EVENTS).map(
        (entry) => eventParameters(entry) as SQLInputValue[],
      ),
    ).flat(),
  );
  const start = performance.now();
  for (const round of rounds) {
    db.exec('BEGIN');
    for (const row of round) insert.run(...row);
    db.exec('COMMIT');
  }
  const seconds = (performance.now() - start) / SECOND;
  db.close();
  return (ROUNDS * RUNS * EVENTS) / seconds;
}
