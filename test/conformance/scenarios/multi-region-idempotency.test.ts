/** What the host says about regions, and, given a second region, whether it holds. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer, HttpClient } from '../client.ts';
import { notClaimed, options, requirement, shared } from '../harness.ts';
import { block, fixture, host } from '../host.ts';
import { runIdOf } from '../runs.ts';

const MODES = ['single-region', 'best-effort', 'strict'];
const CONVERGENCE_MS = 30_000;

async function idempotency(): Promise<Record<string, unknown>> {
  return (await block('idempotency')) ?? notClaimed('no idempotency block is advertised');
}

/** The claimed mode when it spans regions and a second one was given. */
async function spanningMode(): Promise<string> {
  const { crossRegion } = await idempotency();
  if (crossRegion !== 'best-effort' && crossRegion !== 'strict')
    return notClaimed(`crossRegion is ${crossRegion}`);
  if (options.secondRegionUrl === undefined)
    notClaimed('not run: no second region given (--second-region-url)');
  return crossRegion;
}

/** The same keyed request in both regions at once, then again until both agree. */
const bothRegions = shared(async () => {
  await spanningMode();
  const second = new HttpClient(options.secondRegionUrl ?? '', options.apiKey);
  const workflowId = await fixture('conformance-idempotent');
  const headers = { 'idempotency-key': randomUUID() };
  const send = () =>
    Promise.all(
      [host, second].map((client) =>
        client.post('/v1/runs', { workflowId, inputs: { nonce: 'region' } }, { headers }),
      ),
    );
  const first = await send();
  const deadline = performance.now() + CONVERGENCE_MS;
  let latest: Answer[] = first;
  while (new Set(latest.map(runIdOf)).size > 1 && performance.now() < deadline) {
    await sleep(500);
    latest = await send();
  }
  return { first: first.map(runIdOf), latest: latest.map(runIdOf) };
});

requirement('idempotency.region.enum', 'crossRegion is one of the three values', async () => {
  const { crossRegion } = await idempotency();
  if (crossRegion === undefined) notClaimed('crossRegion is not advertised');
  expect(MODES).toContain(crossRegion);
});

requirement('idempotency.region.advertised', 'the idempotency block has crossRegion', async () => {
  expect((await idempotency()).crossRegion).toBeDefined();
});

requirement('idempotency.region.retention', 'both retention values are positive', async () => {
  const { layer1RetentionSeconds, layer2RetentionSeconds } = await idempotency();
  const sent = [layer1RetentionSeconds, layer2RetentionSeconds].filter((value) => value !== undefined);
  if (sent.length === 0) notClaimed('no retention is advertised');
  for (const value of sent) expect(Number.isInteger(value) && Number(value) > 0, String(value)).toBe(true);
});

requirement(
  'idempotency.region.converges',
  'both regions end with the lower runId',
  async () => {
    const { first, latest } = await bothRegions();
    const lower = [...first].sort()[0];
    expect(latest).toEqual([lower, lower]);
  },
  { timeoutMs: 60_000 },
);

requirement(
  'idempotency.region.strict',
  'strict regions agree from the first answer on',
  async () => {
    const mode = await spanningMode();
    if (mode !== 'strict') notClaimed(`crossRegion is ${mode}`);
    expect(new Set((await bothRegions()).first).size).toBe(1);
  },
  { timeoutMs: 60_000 },
);
