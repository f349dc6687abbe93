/** Versions: what is advertised, what runs are stamped with, and who may force another one. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { isObject } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { block, discovery, fixture, host, isTestKey } from '../host.ts';
import { eventLog, runIdOf, runToEnd, waitForTerminal } from '../runs.ts';

const EVENT_LOG_SCHEMA_VERSION = 2;
const finished = shared(() => runToEnd('conformance-noop'));

async function force(version: string | number) {
  const workflowId = await fixture('conformance-version-fold');
  return host.post('/v1/runs', { workflowId }, { headers: { 'x-force-engine-version': String(version) } });
}

/** The advertised range, given that the key at hand may use it. */
async function range(): Promise<{ min: number; max: number }> {
  const found = (await block('testing'))?.forceEngineVersionRange;
  if (!isObject(found)) return notClaimed('no forceEngineVersionRange is advertised');
  if (!(await isTestKey())) return notClaimed('the given key is no test key');
  return { min: Number(found.min), max: Number(found.max) };
}

requirement('version.advertised', 'discovery has all four versions', async () => {
  const { protocolVersion, engineVersion, eventLogSchemaVersion, minClientVersion } = await discovery();
  expect(protocolVersion).toBeTypeOf('string');
  expect(Number.isInteger(engineVersion), `engineVersion ${engineVersion}`).toBe(true);
  expect(Number.isInteger(eventLogSchemaVersion), `eventLogSchemaVersion ${eventLogSchemaVersion}`).toBe(
    true,
  );
  expect(minClientVersion).toBeTypeOf('string');
});

requirement('version.log-schema', 'the event log schema version is 2 wherever it is named', async () => {
  const named = [
    (await discovery()).eventLogSchemaVersion,
    (await finished()).snapshot.eventLogSchemaVersion,
  ];
  const sent = named.filter((version) => version !== undefined);
  if (sent.length === 0) notClaimed('the version is named nowhere');
  for (const version of sent) expect(version).toBe(EVENT_LOG_SCHEMA_VERSION);
});

requirement(
  'version.snapshot-string',
  'engineVersion is the decimal string of the advertised number',
  async () => {
    const { engineVersion } = await discovery();
    const { snapshot, events } = await finished();
    const stamps = [snapshot.engineVersion, ...events.map((event) => event.engineVersion)].filter(
      (stamp) => stamp !== undefined,
    );
    if (stamps.length === 0) notClaimed('neither snapshot nor events carry the version');
    for (const stamp of stamps) expect(stamp).toBe(String(engineVersion));
  },
);

requirement('version.force.live-key', 'X-Force-Engine-Version with a live key is 403', async () => {
  if (await isTestKey()) notClaimed('the given key is a test key');
  const { engineVersion } = await discovery();
  const answer = await force(typeof engineVersion === 'number' ? engineVersion : 1);
  expectRefusal(answer, { status: 403, code: 'force_engine_version_forbidden' });
});

requirement(
  'version.force.in-range',
  'each version of the range completes, readable and stamped',
  async () => {
    const { min, max } = await range();
    for (let version = min; version <= max; version++) {
      const runId = runIdOf(await force(version));
      expect((await waitForTerminal(runId)).status, `under version ${version}`).toBe('completed');
      const stamps = new Set((await eventLog(runId)).map((event) => event.engineVersion));
      expect(stamps).toEqual(new Set([String(version)]));
    }
  },
);

requirement(
  'version.force.out-of-range',
  'one below and one above the range are 400 with the range',
  async () => {
    const { min, max } = await range();
    for (const version of [min - 1, max + 1].filter((value) => value >= 0)) {
      const { details } = expectRefusal(await force(version), {
        status: 400,
        code: 'unsupported_force_engine_version',
      });
      expect(details).toEqual(expect.objectContaining({ min, max }));
    }
  },
);

requirement(
  'version.force.not-a-number',
  'a version that is no whole number is 400 validation_error',
  async () => {
    await range();
    for (const version of ['latest', '1.5']) {
      expectRefusal(await force(version), { status: 400, code: 'validation_error' });
    }
  },
);
