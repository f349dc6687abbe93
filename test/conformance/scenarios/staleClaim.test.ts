/** A host dies in the middle of a run; another one on the same store finishes it. Starts and kills hosts of its own. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectContiguous, expectSingleEnd } from '../checks.ts';
import { notClaimed, options, requirement, shared } from '../harness.ts';
import { type HostProcess, startHost } from '../host-process.ts';
import { pageOf, type RunEvent, runIdOf, runPath, TERMINAL_STATUSES } from '../runs.ts';

const CLAIM_TTL_MS = 2000;
const RECOVERY_MS = 15_000;
const DELAY_MS = 5000;
const LIMIT = { timeoutMs: 90_000 };

const takeover = shared(async () => {
  const command =
    options.staleClaimCommand ?? notClaimed('not run: no host command given (--stale-claim-cmd)');
  const folder = await mkdtemp(join(tmpdir(), 'stale-claim-'));
  const processes: HostProcess[] = [];
  const boot = async () => {
    const started = await startHost(command, {
      OPENWOP_API_KEY: `stale-claim-${randomUUID()}`,
      OPENWOP_DATA_DIR: folder,
      OPENWOP_SQLITE_PATH: join(folder, 'host.sqlite'),
      OPENWOP_CLAIM_TTL_MS: String(CLAIM_TTL_MS),
      OPENWOP_HEARTBEAT_INTERVAL_MS: '500',
      OPENWOP_CONFORMANCE_FIXTURES: '1',
    });
    processes.push(started);
    return started;
  };
  try {
    const first = await boot();
    const body = { workflowId: 'conformance-cancellable', inputs: { delayMs: DELAY_MS } };
    const runId = runIdOf(await first.client.post('/v1/runs', body));
    await until(async () => (await first.client.get(runPath(runId))).object.status === 'running', 5000);
    const before = pageOf(await first.client.get(`${runPath(runId)}/events/poll`)).events;
    await first.kill();
    await sleep(CLAIM_TTL_MS + 1000);

    const second = await boot();
    const seen = await second.client.get(runPath(runId));
    const ended = await until(async () => {
      return TERMINAL_STATUSES.includes(String((await second.client.get(runPath(runId))).object.status));
    }, RECOVERY_MS);
    const { status } = (await second.client.get(runPath(runId))).object;
    const after = pageOf(await second.client.get(`${runPath(runId)}/events/poll`)).events;
    return { runId, seen, ended, status, before, after };
  } finally {
    await Promise.all(processes.map((started) => started.kill()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

requirement(
  'claim.visible',
  'the second host serves the run',
  async () => {
    const { seen, runId } = await takeover();
    expect(seen.status, seen.text.slice(0, 200)).toBe(200);
    expect(seen.object.runId).toBe(runId);
  },
  LIMIT,
);

requirement(
  'claim.recovers',
  'the run is completed within fifteen seconds',
  async () => {
    const { ended, status } = await takeover();
    expect(ended, `still "${status}"`).toBe(true);
    expect(status).toBe('completed');
  },
  LIMIT,
);

requirement(
  'claim.log-continues',
  'the log of the first host is kept and goes on',
  async () => {
    const { before, after } = await takeover();
    expect(after.slice(0, before.length)).toEqual(before);
    expectContiguous(after);
    expectSingleEnd(after, 'run.completed');
    expect(count(after, 'run.started')).toBe(1);
    expect(count(after, 'node.completed')).toBe(1);
  },
  LIMIT,
);

requirement(
  'claim.resumed-event',
  'run.resumed is in the log',
  async () => {
    expect(count((await takeover()).after, 'run.resumed')).toBeGreaterThanOrEqual(1);
  },
  LIMIT,
);

function count(events: readonly RunEvent[], type: string): number {
  return events.filter((event) => event.type === type).length;
}

/** True once the condition holds, false when it does not in time. */
async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await condition()) return true;
    await sleep(50);
  }
  return false;
}
