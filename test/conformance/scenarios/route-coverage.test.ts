/** Every route of the catalogue: those all hosts need, and those a host has once it says so. */
import { expect } from 'vitest';
import { expectRefusal, mediaType } from '../checks.ts';
import { isObject } from '../client.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { advertisedFixtures, block, discovery, host, supportedBlock, UNKNOWN_ID } from '../host.ts';
import { runPath, runToEnd } from '../runs.ts';

const finished = shared(() => runToEnd('conformance-noop'));
const openApi = shared(() => host.get('/v1/openapi.json', { key: null }));

/** Paths of the OpenAPI document, with every parameter written as {}. */
async function describedPaths(): Promise<string[]> {
  const { paths } = (await openApi()).object;
  return Object.keys(isObject(paths) ? paths : {}).map((path) => path.replace(/\{[^}]*\}/g, '{}'));
}

requirement('http.openapi.public', 'GET /v1/openapi.json is OpenAPI 3.1 or later', async () => {
  const answer = await openApi();
  expect(answer.status).toBe(200);
  expect(mediaType(answer.headers)).toBe('application/json');
  expect(answer.object.openapi).toMatch(/^3\.[1-9]/);
  expect((await describedPaths()).length).toBeGreaterThan(0);
});

requirement('http.openapi.covers', 'the core routes are described', async () => {
  const core = [
    '/.well-known/openwop',
    '/v1/openapi.json',
    '/v1/workflows/{}',
    '/v1/runs',
    '/v1/runs/{}',
    '/v1/runs/{}/events',
    '/v1/runs/{}/events/poll',
    '/v1/runs/{}/cancel',
  ];
  expect(await describedPaths()).toEqual(expect.arrayContaining(core));
});

const READS = {
  'GET /.well-known/openwop': () => '/.well-known/openwop',
  'GET /v1/openapi.json': () => '/v1/openapi.json',
  'GET /v1/workflows/{workflowId}': () => '/v1/workflows/conformance-noop',
  'GET /v1/runs/{runId}': runPath,
  'GET /v1/runs/{runId}/events': (runId: string) => `${runPath(runId)}/events`,
  'GET /v1/runs/{runId}/events/poll': (runId: string) => `${runPath(runId)}/events/poll`,
};
for (const [route, path] of Object.entries(READS)) {
  requirement('http.route.required', `${route} is 200`, async () => {
    expect((await host.get(path((await finished()).runId))).status).toBe(200);
  });
}

requirement('http.route.required', 'POST /v1/runs is 201', async () => {
  expect((await finished()).created.status).toBe(201);
});

requirement('http.route.required', 'POST /v1/runs/{runId}/cancel is 200', async () => {
  expect((await host.post(`${runPath((await finished()).runId)}/cancel`, {})).status).toBe(200);
});

requirement('http.route.fork', 'a negative fromSeq is 400 validation_error', async () => {
  await supportedBlock('replay');
  const answer = await host.post(`${runPath((await finished()).runId)}:fork`, {
    mode: 'replay',
    fromSeq: -1,
  });
  expectRefusal(answer, { status: 400, code: 'validation_error' });
});

for (const verb of ['pause', 'resume']) {
  requirement('http.route.pause-resume', `:${verb} of a finished run is 409 conflict`, async () => {
    await supportedBlock('runs.pauseResume');
    const answer = await host.post(`${runPath((await finished()).runId)}:${verb}`, {});
    expect(expectRefusal(answer, { status: 409, code: 'conflict' }).details?.runStatus).toBe('completed');
  });
}

/** Interrupts have no block of their own in discovery: the clarification envelope or a fixture that waits shows them. */
async function interruptsClaimed(): Promise<void> {
  const { supportedEnvelopes } = await discovery();
  const envelope = Array.isArray(supportedEnvelopes) && supportedEnvelopes.includes('clarification.request');
  const waiting = (await advertisedFixtures()).some((id) =>
    /^conformance-(approval|clarification|interrupt-)/.test(id),
  );
  if (!envelope && !waiting) notClaimed('interrupts are not advertised');
}

requirement(
  'http.route.interrupts',
  'resolving a node that waits for nothing is 404 interrupt_not_found',
  async () => {
    await interruptsClaimed();
    const path = `${runPath((await finished()).runId)}/interrupts/noop`;
    expectRefusal(await host.post(path, { resumeValue: {} }), { status: 404, code: 'interrupt_not_found' });
  },
);

requirement(
  'http.route.interrupts',
  'a made-up token is refused without a credential being asked for',
  async () => {
    await interruptsClaimed();
    expectRefusal(await host.get('/v1/interrupts/made.up', { key: null }), { status: [400, 404, 410] });
  },
);

requirement('http.route.artifacts', 'an unknown artifact is 404 or 403', async () => {
  if (!(await describedPaths()).includes('/v1/runs/{}/artifacts/{}'))
    notClaimed('the OpenAPI document has no artifact route');
  const path = `${runPath((await finished()).runId)}/artifacts/${UNKNOWN_ID}`;
  expectRefusal(await host.get(path), { status: [403, 404] });
});

requirement('http.route.webhooks', 'a registration without url is 400 validation_error', async () => {
  await supportedBlock('webhooks');
  expectRefusal(await host.post('/v1/webhooks', { events: ['run.completed'] }), {
    status: 400,
    code: 'validation_error',
  });
});

requirement('http.route.webhooks', 'removing an unknown webhook is 204, 403 or 404', async () => {
  await supportedBlock('webhooks');
  expect([204, 403, 404]).toContain(
    (await host.send(`/v1/webhooks/${UNKNOWN_ID}`, { method: 'DELETE' })).status,
  );
});

requirement('http.route.debug-bundle', 'the bundle is 200 and not cached, or 404', async () => {
  const answer = await host.get(`${runPath((await finished()).runId)}/debug-bundle`);
  if ((await block('debugBundle'))?.supported !== true) {
    expectRefusal(answer, { status: 404 });
    return;
  }
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toContain('no-store');
});
