// Bad input of every kind to a complete host: status and code of each answer, and a store that did not change.
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Dispatcher, Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyStore } from '../../plugins/api-keys/contract.ts';
import { ErrorEnvelope } from '../../schemas/error-envelope.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { noop } from '../faults/workflows.ts';
import { storeContent } from '../support/store-content.ts';
import { startWopr, type TestWopr } from '../support/wopr.ts';

const EVERYTHING = ['runs:create', 'runs:read', 'runs:cancel', 'manifest:read', 'manifest:write'];
const isEnvelope = compileSchema(ErrorEnvelope);

let wopr: TestWopr;
let pool: Pool;
/** Bearer tokens by what they are good for. */
let tokens: Record<'live' | 'stranger' | 'test' | 'reader' | 'expired' | 'revoked', string>;
let run: string;
let testRun: string;

beforeAll(async () => {
  wopr = await startWopr();
  pool = new Pool(wopr.base);
  const { database } = wopr.kernel.services;
  const create = async (options: object = {}, now = Date.now) =>
    openKeyStore(database, { now }).create({ label: 'bad input', scopes: EVERYTHING, ...options });
  const hourAgo = () => Date.now() - 3_600_000;
  const revoked = await create();
  await wopr.kernel.service('apiKeys')?.revoke(revoked.key.keyId);
  tokens = {
    live: (await create()).secret,
    stranger: (await create({ tenantIds: ['other'] })).secret,
    test: (await create({ test: true })).secret,
    reader: (await create({ scopes: ['runs:read', 'manifest:read'] })).secret,
    expired: (await create({ expiresAt: Date.now() - 1_000 }, hourAgo)).secret,
    revoked: revoked.secret,
  };
  await ask('POST', '/v1/workflows', { body: JSON.stringify(noop) });
  run = JSON.parse((await ask('POST', '/v1/runs', { body: '{"workflowId":"noop"}' })).text).runId;
  testRun = JSON.parse(
    (await ask('POST', '/v1/runs', { body: '{"workflowId":"noop"}', as: 'test' })).text,
  ).runId;
});
afterAll(async () => {
  await pool.destroy();
  await wopr.stop();
});

interface Ask {
  readonly body?: string | Buffer;
  readonly as?: keyof typeof tokens;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(method: string, path: string, { body, as = 'live', headers = {} }: Ask = {}) {
  const answer = await pool.request({
    method: method as Dispatcher.HttpMethod,
    path: path.replaceAll('{run}', run).replaceAll('{testRun}', testRun),
    headers: {
      authorization: `Bearer ${tokens[as]}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

type Case = readonly [what: string, request: string, ask: Ask, status: number, code: string];

const RUN = '{"workflowId":"noop"}';
const nested = (levels: number, inner = '1') => `${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;
const withInputs = (inputs: string) => `{"workflowId":"noop","inputs":${inputs}}`;
const long = (length: number) => 'x'.repeat(length);

const MALFORMED: readonly Case[] = [
  ['cut off', 'POST /v1/runs', { body: '{"workflowId":' }, 400, 'validation_error'],
  ['single quotes', 'POST /v1/runs', { body: "{'workflowId':'noop'}" }, 400, 'validation_error'],
  ['a trailing comma', 'POST /v1/runs', { body: '{"workflowId":"noop",}' }, 400, 'validation_error'],
  ['two documents', 'POST /v1/runs', { body: `${RUN}${RUN}` }, 400, 'validation_error'],
  ['a byte order mark', 'POST /v1/runs', { body: `\ufeff${RUN}` }, 400, 'validation_error'],
  [
    'bytes that are no UTF-8',
    'POST /v1/runs',
    { body: Buffer.from('{"a":"\xe9"}', 'latin1') },
    400,
    'validation_error',
  ],
  ['no body', 'POST /v1/runs', {}, 400, 'validation_error'],
  ['spaces only', 'POST /v1/runs', { body: '   ' }, 400, 'validation_error'],
  ['no body for a definition', 'POST /v1/workflows', {}, 400, 'validation_error'],
  ['malformed reason', 'POST /v1/runs/{run}/cancel', { body: '{"reason"' }, 400, 'validation_error'],
];

const WRONG_TYPES: readonly Case[] = [
  ['null', 'POST /v1/runs', { body: 'null' }, 400, 'validation_error'],
  ['a list', 'POST /v1/runs', { body: '[]' }, 400, 'validation_error'],
  ['a text', 'POST /v1/runs', { body: '"noop"' }, 400, 'validation_error'],
  ['workflowId is a number', 'POST /v1/runs', { body: '{"workflowId":7}' }, 400, 'validation_error'],
  ['inputs is a list', 'POST /v1/runs', { body: withInputs('[]') }, 400, 'validation_error'],
  ['inputs is null', 'POST /v1/runs', { body: withInputs('null') }, 400, 'validation_error'],
  ['tags is a text', 'POST /v1/runs', { body: '{"workflowId":"noop","tags":"a"}' }, 400, 'validation_error'],
  ['an unknown field', 'POST /v1/runs', { body: '{"workflowId":"noop","x":1}' }, 400, 'validation_error'],
  ['a prototype', 'POST /v1/runs', { body: withInputs('{"__proto__":{}}') }, 400, 'validation_error'],
  ['a definition that is none', 'POST /v1/workflows', { body: '{"id":"x"}' }, 400, 'validation_error'],
  [
    'an unknown node type',
    'POST /v1/workflows',
    { body: JSON.stringify(noop).replace('core.noop', 'core.nope') },
    400,
    'validation_error',
  ],
  [
    'a version taken',
    'POST /v1/workflows',
    { body: JSON.stringify({ ...noop, name: 'other' }) },
    409,
    'conflict',
  ],
  ['reason is a number', 'POST /v1/runs/{run}/cancel', { body: '{"reason":1}' }, 400, 'validation_error'],
  ['limit is no number', 'GET /v1/runs?limit=ten', {}, 400, 'validation_error'],
  ['limit is too large', 'GET /v1/runs?limit=100000', {}, 400, 'validation_error'],
  ['status is unknown', 'GET /v1/runs?status=done', {}, 400, 'validation_error'],
  ['lastSequence is negative', 'GET /v1/runs/{run}/events/poll?lastSequence=-1', {}, 400, 'validation_error'],
  ['timeout is too long', 'GET /v1/runs/{run}/events/poll?timeout=61', {}, 400, 'validation_error'],
  ['bufferMs is too long', 'GET /v1/runs/{run}/events?bufferMs=5001', {}, 400, 'validation_error'],
  ['streamMode is unknown', 'GET /v1/runs/{run}/events?streamMode=all', {}, 400, 'unsupported_stream_mode'],
];

const TOO_MUCH: readonly Case[] = [
  [
    'a body beyond the limit',
    'POST /v1/runs',
    { body: withInputs(`{"a":"${long(1_100_000)}"}`) },
    413,
    'payload_too_large',
  ],
  [
    'a definition beyond the limit',
    'POST /v1/workflows',
    { body: `{"id":"${long(6_000_000)}"}` },
    413,
    'payload_too_large',
  ],
  ['nesting beyond the limit', 'POST /v1/runs', { body: withInputs(nested(64)) }, 400, 'validation_error'],
  ['brackets without end', 'POST /v1/runs', { body: '['.repeat(100_000) }, 400, 'validation_error'],
  [
    'too many tags',
    'POST /v1/runs',
    { body: JSON.stringify({ workflowId: 'noop', tags: Array(101).fill('a') }) },
    400,
    'validation_error',
  ],
  [
    'a tag too long',
    'POST /v1/runs',
    { body: JSON.stringify({ workflowId: 'noop', tags: [long(257)] }) },
    400,
    'validation_error',
  ],
  [
    'metadata too large',
    'POST /v1/runs',
    { body: JSON.stringify({ workflowId: 'noop', metadata: { a: long(9000) } }) },
    400,
    'validation_error',
  ],
  [
    'metadata too deep',
    'POST /v1/runs',
    { body: `{"workflowId":"noop","metadata":${nested(6)}}` },
    400,
    'validation_error',
  ],
  [
    'an idempotency key too long',
    'POST /v1/runs',
    { body: RUN, headers: { 'idempotency-key': long(256) } },
    400,
    'validation_error',
  ],
  ['headers too large', 'GET /v1/runs', { headers: { 'x-large': long(20_000) } }, 431, 'headers_too_large'],
];

const IDS: readonly Case[] = [
  ['an unknown run', 'GET /v1/runs/run_0', {}, 404, 'not_found'],
  ['an unknown run to cancel', 'POST /v1/runs/run_0/cancel', {}, 404, 'not_found'],
  ['events of an unknown run', 'GET /v1/runs/run_0/events', {}, 404, 'not_found'],
  ['polling an unknown run', 'GET /v1/runs/run_0/events/poll', {}, 404, 'not_found'],
  ['an unknown workflow', 'GET /v1/workflows/nothing', {}, 404, 'not_found'],
  [
    'an unknown workflow to run',
    'POST /v1/runs',
    { body: '{"workflowId":"nothing"}' },
    400,
    'validation_error',
  ],
  ['a slash', 'GET /v1/runs/a/b', {}, 404, 'not_found'],
  ['an encoded slash', 'GET /v1/runs/a%2Fb', {}, 404, 'not_found'],
  ['dots', 'GET /v1/runs/..', {}, 404, 'not_found'],
  ['encoded dots', 'GET /v1/workflows/%2e%2e%2f%2e%2e%2fetc%2fpasswd', {}, 404, 'not_found'],
  ['a NUL', 'GET /v1/runs/a%00b', {}, 400, 'validation_error'],
  ['half an escape', 'GET /v1/runs/%', {}, 400, 'validation_error'],
  ['bytes that are no UTF-8', 'GET /v1/runs/%ff', {}, 400, 'validation_error'],
  ['128 characters', `GET /v1/runs/${long(128)}`, {}, 404, 'not_found'],
  ['200 characters', `GET /v1/runs/${long(200)}`, {}, 400, 'validation_error'],
  ['200 encoded characters', `GET /v1/runs/${'%61'.repeat(200)}`, {}, 400, 'validation_error'],
  ['no id', 'GET /v1/runs/', {}, 404, 'not_found'],
  ['an unknown verb', 'POST /v1/runs/{run}:explode', {}, 405, 'method_not_allowed'],
  ['no version', 'GET /runs/{run}', {}, 400, 'validation_error'],
  ['another version', 'GET /v2/runs/{run}', {}, 400, 'validation_error'],
  ['an unknown endpoint', 'GET /v1/nothing', {}, 404, 'not_found'],
  ['a wrong method', 'DELETE /v1/runs/{run}', {}, 405, 'method_not_allowed'],
];

const CONTENT: readonly Case[] = [
  [
    'plain text',
    'POST /v1/runs',
    { body: RUN, headers: { 'content-type': 'text/plain' } },
    415,
    'unsupported_media_type',
  ],
  [
    'a form',
    'POST /v1/runs',
    { body: 'workflowId=noop', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported_media_type',
  ],
  [
    'another charset',
    'POST /v1/runs',
    { body: RUN, headers: { 'content-type': 'application/json; charset=utf-16' } },
    415,
    'unsupported_media_type',
  ],
  [
    'compressed',
    'POST /v1/runs',
    { body: RUN, headers: { 'content-encoding': 'gzip' } },
    415,
    'unsupported_media_type',
  ],
  ['empty', 'POST /v1/runs', { body: RUN, headers: { 'content-type': '' } }, 415, 'unsupported_media_type'],
];

const CALLERS: readonly Case[] = [
  ["a foreign tenant's run", 'GET /v1/runs/{run}', { as: 'stranger' }, 404, 'not_found'],
  ["events of a foreign tenant's run", 'GET /v1/runs/{run}/events', { as: 'stranger' }, 404, 'not_found'],
  ["polling a foreign tenant's run", 'GET /v1/runs/{run}/events/poll', { as: 'stranger' }, 404, 'not_found'],
  ["cancelling a foreign tenant's run", 'POST /v1/runs/{run}/cancel', { as: 'stranger' }, 404, 'not_found'],
  ["a foreign tenant's workflow", 'GET /v1/workflows/noop', { as: 'stranger' }, 404, 'not_found'],
  [
    "running a foreign tenant's workflow",
    'POST /v1/runs',
    { as: 'stranger', body: RUN },
    400,
    'validation_error',
  ],
  [
    'naming a foreign tenant',
    'POST /v1/runs',
    { as: 'stranger', body: '{"workflowId":"noop","tenantId":"default"}' },
    403,
    'forbidden',
  ],
  ['a live run with a test key', 'GET /v1/runs/{run}', { as: 'test' }, 404, 'not_found'],
  ['a test run with a live key', 'GET /v1/runs/{testRun}', {}, 404, 'not_found'],
  ['an expired key', 'GET /v1/runs/{run}', { as: 'expired' }, 401, 'key_expired'],
  ['creating with an expired key', 'POST /v1/runs', { as: 'expired', body: RUN }, 401, 'key_expired'],
  ['a revoked key', 'GET /v1/runs/{run}', { as: 'revoked' }, 401, 'key_revoked'],
  ['creating with a revoked key', 'POST /v1/runs', { as: 'revoked', body: RUN }, 401, 'key_revoked'],
  ['a key without the scope', 'POST /v1/runs', { as: 'reader', body: RUN }, 403, 'forbidden'],
  [
    'registering without the scope',
    'POST /v1/workflows',
    { as: 'reader', body: JSON.stringify(noop) },
    403,
    'forbidden',
  ],
  ['cancelling without the scope', 'POST /v1/runs/{run}/cancel', { as: 'reader' }, 403, 'forbidden'],
  ['an empty credential', 'GET /v1/runs', { headers: { authorization: '' } }, 401, 'unauthenticated'],
  ['half a credential', 'GET /v1/runs', { headers: { authorization: 'Bearer ' } }, 401, 'unauthenticated'],
  [
    'a password',
    'GET /v1/runs',
    { headers: { authorization: 'Basic aHVudGVyMg==' } },
    401,
    'unauthenticated',
  ],
  [
    'an unknown key',
    'GET /v1/runs',
    { headers: { authorization: 'Bearer hunter2hunter2' } },
    401,
    'unauthenticated',
  ],
  [
    'a well-formed unknown key',
    'GET /v1/runs',
    { headers: { authorization: `Bearer hk_live_${'0'.repeat(16)}_${long(43)}` } },
    401,
    'unauthenticated',
  ],
  [
    'a test-only header with a live key',
    'POST /v1/runs',
    { body: RUN, headers: { 'x-force-engine-version': '1' } },
    403,
    'force_engine_version_forbidden',
  ],
];

describe.each([
  ['malformed JSON', MALFORMED],
  ['wrong types', WRONG_TYPES],
  ['too much', TOO_MUCH],
  ['ids and paths', IDS],
  ['content types', CONTENT],
  ['callers', CALLERS],
])('%s', (_, cases) => {
  it.each(cases)('%s', async (_what, request, given, status, code) => {
    const [method = '', path = ''] = request.split(' ');
    const before = storeContent(join(wopr.dataDir, 'wopr.sqlite'));
    const answer = await ask(method, path, given);
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } });
    const envelope = JSON.parse(answer.text);
    expect(envelope.error).toBe(code);
    expect(isEnvelope(envelope), answer.text).toBe(true);
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d|\bat [\w.<>]+ \(/);
    for (const secret of [...Object.values(tokens), 'hunter2', 'aHVudGVyMg=='])
      expect(answer.text).not.toContain(secret);
    expect(storeContent(join(wopr.dataDir, 'wopr.sqlite'))).toEqual(before);
  });
});

it('a second credential does not help a wrong one', async () => {
  const { hostname, port } = new URL(wopr.base);
  const text = await new Promise<string>((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(received));
    const line = (token: string) => `Authorization: Bearer ${token}\r\n`;
    const both = `${line('hunter2hunter2')}${line(tokens.live)}`;
    socket.write(`GET /v1/runs HTTP/1.1\r\nHost: x\r\n${both}Connection: close\r\n\r\n`);
  });
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
});

it('nothing of it is logged as a failure, and no key is logged at all', () => {
  expect(wopr.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  const text = JSON.stringify(wopr.logged);
  for (const secret of [...Object.values(tokens), 'hunter2']) expect(text).not.toContain(secret);
});
