/** Bad requests: the right status and code each, always in the closed envelope, and nothing given away. */
import { expect } from 'vitest';
import { expectEnvelope, expectRefusal } from '../checks.ts';
import type { Call } from '../client.ts';
import { options, requirement, shared } from '../harness.ts';
import { fixture, host, UNKNOWN_ID } from '../host.ts';
import { runIdOf, runPath, waitForTerminal } from '../runs.ts';

const POST = { method: 'POST' } as const;
const create = (body: unknown): Call => ({ ...POST, body });
const noop = { workflowId: 'conformance-noop' };

/** One request per way of going wrong; each must be refused. */
const MISTAKES: Readonly<Record<string, readonly [path: string, call: Call]>> = {
  'no credential': ['/v1/runs', { ...create(noop), key: null }],
  'unknown run': [`/v1/runs/${UNKNOWN_ID}`, {}],
  'unknown workflow': ['/v1/runs', create({ workflowId: UNKNOWN_ID })],
  'unknown path': ['/v1/no-such-route', {}],
  'unversioned root': ['/runs', {}],
  'malformed JSON': ['/v1/runs', { ...POST, text: '{"workflowId": ' }],
  'wrong media type': [
    '/v1/runs',
    { ...POST, text: 'workflowId', headers: { 'content-type': 'text/plain' } },
  ],
  'wrong method': ['/v1/runs', { method: 'PUT', body: noop }],
  'bad poll parameter': [`/v1/runs/${UNKNOWN_ID}/events/poll?timeout=abc`, {}],
};

const refusals = shared(async () => {
  const entries = Object.entries(MISTAKES).map(async ([name, [path, call]]) => {
    return [name, await host.send(path, call)] as const;
  });
  return new Map(await Promise.all(entries));
});

for (const name of Object.keys(MISTAKES)) {
  requirement('http.error.envelope-closed', `${name}: a client error in the closed envelope`, async () => {
    const answer = (await refusals()).get(name);
    if (answer === undefined) throw new Error(`No answer for "${name}".`);
    expect(answer.status, answer.text.slice(0, 200)).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expectEnvelope(answer);
  });
}

requirement('http.error.snake-case', 'every code is snake_case', async () => {
  for (const [name, answer] of await refusals()) {
    expect(expectEnvelope(answer).error, name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
  }
});

requirement('http.error.no-echo', 'no answer shows the key, a stack trace or a source file', async () => {
  for (const [name, { text }] of await refusals()) {
    expect(text, name).not.toContain(options.apiKey);
    expect(text, name).not.toMatch(/\n\s+at |node_modules|\.(ts|js|py|go|rs|java):\d+/);
  }
});

requirement('http.error.not-found', 'an unknown run and an unknown workflow are 404 not_found', async () => {
  for (const path of [runPath(UNKNOWN_ID), `/v1/workflows/${UNKNOWN_ID}`]) {
    expectRefusal(await host.get(path), { status: 404, code: 'not_found' });
  }
});

requirement('http.error.unknown-path', 'GET /v1/no-such-route is 404 not_found', async () => {
  expectRefusal(await host.get('/v1/no-such-route'), { status: 404, code: 'not_found' });
});

for (const path of ['/runs', '/workflows/conformance-noop']) {
  requirement('http.error.unversioned-root', `GET ${path} is 400`, async () => {
    expectRefusal(await host.get(path), { status: 400 });
  });
}

const MALFORMED: Readonly<Record<string, Call>> = {
  'truncated JSON': { ...POST, text: '{"workflowId": "conformance-noop"' },
  'an empty object': create({}),
  'a list': create([]),
  'a string': create('conformance-noop'),
  null: { ...POST, text: 'null' },
  'a numeric workflowId': create({ workflowId: 7 }),
  'an empty workflowId': create({ workflowId: '' }),
  'inputs as a list': create({ ...noop, inputs: [] }),
  'configurable as a string': create({ ...noop, configurable: 'fast' }),
  'tags as a string': create({ ...noop, tags: 'a,b' }),
};
for (const [name, call] of Object.entries(MALFORMED)) {
  requirement('http.error.malformed-body', `POST /v1/runs with ${name} is 400 validation_error`, async () => {
    expectRefusal(await host.send('/v1/runs', call), { status: 400, code: 'validation_error' });
  });
}

for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
  requirement('http.error.content-type', `${type} is refused`, async () => {
    const text = JSON.stringify({ workflowId: await fixture('conformance-noop') });
    const answer = await host.send('/v1/runs', { ...POST, text, headers: { 'content-type': type } });
    expectRefusal(answer, { status: [400, 406, 415] });
  });
}

requirement('http.error.unknown-workflow', 'POST /v1/runs with an unknown workflowId is 400', async () => {
  const answer = await host.post('/v1/runs', { workflowId: UNKNOWN_ID });
  expectRefusal(answer, { status: 400, code: 'validation_error' });
});

requirement('http.error.unknown-field', 'an unknown top-level key is refused', async () => {
  const answer = await host.post('/v1/runs', { workflowId: await fixture('conformance-noop'), input: {} });
  expectRefusal(answer, { status: 400, code: 'validation_error' });
});

const HOSTILE = [
  'x'.repeat(129),
  'x'.repeat(4000),
  '..%2f..%2fetc',
  'a%2Fb',
  '%00',
  'a%00b',
  "'%20OR%201=1",
  '%F0%9F%92%A5',
  '%20',
  '__proto__',
  'a:fork:pause',
];
for (const id of HOSTILE) {
  const label = id.length > 40 ? `an id of ${id.length} characters` : `the id ${id}`;
  requirement('http.error.hostile-ids', `${label} is a client error on every route`, async () => {
    for (const path of [
      `/v1/runs/${id}`,
      `/v1/runs/${id}/events`,
      `/v1/runs/${id}/events/poll?timeout=1`,
      `/v1/workflows/${id}`,
    ]) {
      expectRefusal(await host.get(path), { status: [400, 404, 414] });
    }
    expectRefusal(await host.post(`/v1/runs/${id}/cancel`, {}), { status: [400, 404, 414] });
  });
}

for (const [method, path] of [
  ['PUT', '/v1/runs'],
  ['DELETE', '/v1/runs/x'],
  ['PATCH', '/v1/workflows/x'],
  ['POST', '/.well-known/openwop'],
] as const) {
  requirement('http.error.method', `${method} ${path} is 404 or 405`, async () => {
    expectRefusal(await host.send(path, { method, body: {} }), { status: [404, 405] });
  });
}

const BAD_OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  '101 tags': { tags: Array.from({ length: 101 }, (_, i) => `t${i}`) },
  'a tag of 257 characters': { tags: ['x'.repeat(257)] },
  'an empty tag': { tags: [''] },
  'recursionLimit 0': { configurable: { recursionLimit: 0 } },
  'recursionLimit 1.5': { configurable: { recursionLimit: 1.5 } },
  'recursionLimit "3"': { configurable: { recursionLimit: '3' } },
};
for (const [name, body] of Object.entries(BAD_OPTIONS)) {
  requirement('http.error.run-options', `${name} is 400 validation_error`, async () => {
    const answer = await host.post('/v1/runs', { workflowId: await fixture('conformance-noop'), ...body });
    expectRefusal(answer, { status: 400, code: 'validation_error' });
  });
}

requirement('http.error.run-options', '100 tags of 256 characters are accepted', async () => {
  const tags = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(256, 'x'));
  const runId = runIdOf(await host.post('/v1/runs', { workflowId: await fixture('conformance-noop'), tags }));
  expect((await waitForTerminal(runId)).tags).toEqual(tags);
});

const LAVISH: Readonly<Record<string, Record<string, unknown>>> = {
  'metadata of 9000 bytes': { text: 'x'.repeat(9000) },
  'metadata of six levels': { a: { b: { c: { d: { e: { f: 1 } } } } } },
};
for (const [name, metadata] of Object.entries(LAVISH)) {
  requirement('http.error.metadata-bounds', `${name} is 400 validation_error`, async () => {
    const answer = await host.post('/v1/runs', { workflowId: await fixture('conformance-noop'), metadata });
    expectRefusal(answer, { status: 400, code: 'validation_error' });
  });
}
