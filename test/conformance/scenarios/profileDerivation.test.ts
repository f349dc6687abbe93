/** Compatibility profiles: derived from discovery alone, and kept in fact. */
import { expect } from 'vitest';
import { mediaType } from '../checks.ts';
import { notClaimed, requirement } from '../harness.ts';
import { discovery, fixture, host } from '../host.ts';
import { deriveProfiles, type ProfileName } from '../profiles.ts';
import { pageOf, runPath, runToEnd } from '../runs.ts';
import { record } from '../sse.ts';

async function derived(name: ProfileName): Promise<void> {
  if (!deriveProfiles(await discovery()).includes(name)) notClaimed(`the profile ${name} is not derived`);
}

requirement('profile.core', 'the document derives openwop-core', async () => {
  expect(deriveProfiles(await discovery())).toContain('openwop-core');
});

requirement(
  'profile.implies-core',
  'without what core needs nothing is derived, and other keys change nothing',
  async () => {
    const document = await discovery();
    const profiles = deriveProfiles(document);
    expect(
      deriveProfiles({ ...document, 'vendor.unknown': { supported: true }, profiles: ['openwop-secrets'] }),
    ).toEqual(profiles);
    const { limits: _, ...withoutLimits } = document;
    expect(deriveProfiles(withoutLimits)).toEqual([]);
  },
);

requirement('profile.stream-sse', 'a finished run is streamed as text/event-stream', async () => {
  await derived('openwop-stream-sse');
  const { runId } = await runToEnd('conformance-noop');
  const stream = await record(host, `${runPath(runId)}/events`);
  expect(stream.status).toBe(200);
  expect(mediaType(stream.headers)).toBe('text/event-stream');
});

requirement('profile.stream-poll', 'a finished run is polled', async () => {
  await derived('openwop-stream-poll');
  const { runId } = await runToEnd('conformance-noop');
  expect(pageOf(await host.get(`${runPath(runId)}/events/poll`)).isComplete).toBe(true);
});

requirement('profile.fixtures', 'conformance-noop completes', async () => {
  await derived('openwop-fixtures');
  await fixture('conformance-noop');
  expect((await runToEnd('conformance-noop')).snapshot.status).toBe('completed');
});

requirement('profile.replay-fork', 'a finished run is forked from its first event', async () => {
  await derived('openwop-replay-fork');
  const { runId } = await runToEnd('conformance-noop');
  const answer = await host.post(`${runPath(runId)}:fork`, { mode: 'replay', fromSeq: 0 });
  expect(answer.status, answer.text.slice(0, 200)).toBe(201);
  expect(answer.object).toEqual(expect.objectContaining({ sourceRunId: runId, mode: 'replay' }));
  expect(answer.object.runId).not.toBe(runId);
});

requirement('profile.node-packs', 'GET /v1/packs is 200 without a credential', async () => {
  await derived('openwop-node-packs');
  const answer = await host.get('/v1/packs', { key: null });
  // The predicate is met by every core host; only one that serves the registry claims the profile in fact.
  if (answer.status === 404 || answer.status === 401) notClaimed('no pack registry is served');
  expect(answer.status).toBe(200);
  expect(answer.json).toBeTypeOf('object');
});
