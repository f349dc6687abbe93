/** Who may ask: missing, malformed and unknown credentials, and keys whose scopes do not reach. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { fixture, host, lowScopeKey, UNKNOWN_ID } from '../host.ts';
import { runPath, runToEnd, snapshotOf, start, waitForTerminal } from '../runs.ts';

const PROTECTED: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/v1/workflows/conformance-noop'],
  ['POST', '/v1/runs'],
  ['GET', `/v1/runs/${UNKNOWN_ID}`],
  ['GET', `/v1/runs/${UNKNOWN_ID}/events`],
  ['GET', `/v1/runs/${UNKNOWN_ID}/events/poll`],
  ['POST', `/v1/runs/${UNKNOWN_ID}/cancel`],
];
const FORGED = 'forged-credential-0123456789abcdef';
const SOME_BODY = { workflowId: 'conformance-noop' };

const finished = shared(() => runToEnd('conformance-noop'));

const bodyFor = (method: string) => (method === 'POST' ? { body: SOME_BODY } : {});

for (const [method, path] of PROTECTED) {
  requirement('auth.missing', `${method} ${path} without a credential is 401 unauthenticated`, async () => {
    const answer = await host.send(path, { method, key: null, ...bodyFor(method) });
    expectRefusal(answer, { status: 401, code: 'unauthenticated' });
  });

  requirement('auth.unknown-key', `${method} ${path} with an unknown key is 401`, async () => {
    expectRefusal(await host.send(path, { method, key: FORGED, ...bodyFor(method) }), { status: 401 });
  });
}

for (const authorization of ['Basic dXNlcjpwYXNz', 'Bearer', 'Token abc', 'Bearer two words', 'bearer,']) {
  requirement('auth.malformed', `Authorization: ${authorization} is 401`, async () => {
    const answer = await host.post('/v1/runs', SOME_BODY, { headers: { authorization } });
    expectRefusal(answer, { status: 401 });
  });
}

requirement('auth.reveals-nothing', 'an existing run and an unknown one look alike', async () => {
  const { runId } = await finished();
  for (const key of [null, FORGED]) {
    const [existing, unknown] = await Promise.all([
      host.get(runPath(runId), { key }),
      host.get(runPath(UNKNOWN_ID), { key }),
    ]);
    const one = expectRefusal(existing, { status: 401 });
    const other = expectRefusal(unknown, { status: 401 });
    expect(one.error).toBe(other.error);
    expect(existing.text).not.toContain(runId);
  }
});

requirement('auth.no-echo', 'the refused key appears nowhere in the answer', async () => {
  const answer = await host.get(runPath(UNKNOWN_ID), { key: FORGED });
  expectRefusal(answer, { status: 401 });
  expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(FORGED);
});

requirement('auth.scope', 'creating a run without runs:create is 403 forbidden', async () => {
  const key = lowScopeKey();
  const answer = await host.post('/v1/runs', { workflowId: await fixture('conformance-noop') }, { key });
  expectRefusal(answer, { status: 403, code: 'forbidden' });
});

requirement('auth.scope', 'cancelling without runs:cancel is 403 forbidden', async () => {
  const key = lowScopeKey();
  const { runId } = await finished();
  expectRefusal(await host.post(`${runPath(runId)}/cancel`, {}, { key }), { status: 403, code: 'forbidden' });
});

requirement('auth.scope-detail', 'the 403 names runs:create', async () => {
  const answer = await host.post('/v1/runs', SOME_BODY, { key: lowScopeKey() });
  expect(expectRefusal(answer, { status: 403 }).details?.scopeRequired).toBe('runs:create');
});

requirement('auth.scope-granted', 'the low-scope key reads workflow, run and events', async () => {
  const key = lowScopeKey();
  const { runId } = await finished();
  for (const path of ['/v1/workflows/conformance-noop', runPath(runId), `${runPath(runId)}/events/poll`]) {
    expect((await host.get(path, { key })).status, path).toBe(200);
  }
});

requirement('auth.scope-no-effect', 'a refused cancel leaves the run alone', async () => {
  const key = lowScopeKey();
  const runId = await start('conformance-delay', { inputs: { delayMs: 1000 } });
  expectRefusal(await host.post(`${runPath(runId)}/cancel`, {}, { key }), { status: 403 });
  expect((await waitForTerminal(runId)).status).toBe('completed');
});

requirement('auth.foreign-tenant', 'a run is not put into a tenant the caller names freely', async () => {
  const workflowId = await fixture('conformance-noop');
  const answer = await host.post('/v1/runs', { workflowId, tenantId: 'conformance-foreign-tenant' });
  if (answer.status === 201) {
    const snapshot = await snapshotOf(String(answer.object.runId));
    if (snapshot.tenantId === undefined)
      notClaimed('the host accepts the field and does not show the tenant of a run');
    expect(snapshot.tenantId).not.toBe('conformance-foreign-tenant');
    return;
  }
  expectRefusal(answer, { status: [400, 403, 404] });
});
