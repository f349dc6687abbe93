// More than 20,000 random requests over every route: never a 5xx, always the closed envelope, and nothing changes that was refused.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFailed } from 'vitest';
import { openStore } from '../../kernel/log/index.ts';
import { openKeyStore } from '../../plugins/api-keys/contract.ts';
import { ErrorEnvelope } from '../../schemas/error-envelope.ts';
import { compileSchema } from '../../schemas/validators.ts';
import { failing, noop } from '../faults/workflows.ts';
import { HostChild } from '../support/host-child.ts';
import { createRandom } from '../support/random.ts';
import { column, storeContent } from '../support/store-content.ts';
import { operationsOf } from './fuzz/operations.ts';
import { exchange, rawRequests } from './fuzz/raw.ts';
import { randomRequests, type World } from './fuzz/requests.ts';
import { type FuzzAnswer, sendAll } from './fuzz/sender.ts';

const KEY = `hk_test_${randomBytes(16).toString('hex')}`;
const CONNECTIONS = 12;
const POWERLESS_REQUESTS = 8_000;
const POWERFUL_REQUESTS = 12_500;
const SHOWN = 10;

const random = createRandom();
const secret = `s3cr3t${randomBytes(8).toString('hex')}`;
const isEnvelope = compileSchema(ErrorEnvelope);

let dataDir: string;
let store: string;
let host: HostChild;
let url: string;
let keys: { reader: string; stranger: string; expired: string; revoked: string };
let foreignRun: string;
let world: Omit<World, 'credentials'>;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-fuzz-'));
  store = join(dataDir, 'wopr.sqlite');
  keys = await createKeys();
  host = new HostChild({
    dataDir,
    key: KEY,
    // One 503 for a stopping or full host would be allowed; here nothing is full, so there is no excuse.
    env: { OPENWOP_DEVELOPMENT: 'true', OPENWOP_PLUGINS__HTTP__CONFIG__ACCESS_LOG: 'off' },
  });
  url = await host.ready();
  for (const [index, definition] of [noop, failing].entries()) {
    await post(KEY, '/v1/workflows', definition, 201);
    if (index === 0) await post(keys.stranger, '/v1/workflows', { ...definition, id: 'foreign' }, 201);
  }
  const own = await Promise.all(
    [noop, failing].map(async ({ id }) => (await post(KEY, '/v1/runs', { workflowId: id }, 201)).runId),
  );
  foreignRun = (await post(keys.stranger, '/v1/runs', { workflowId: 'foreign', inputs: { secret } }, 201))
    .runId;
  world = {
    operations: await operationsOf(url),
    runIds: [...own, foreignRun],
    workflowIds: [noop.id, failing.id, 'foreign', 'unknown'],
    definition: noop,
    secret,
  };
});
afterAll(async () => {
  await host.kill();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(() => onTestFailed(() => console.error(`repeat it with WOPR_SEED=${random.seed}`)));

it('callers without power change nothing, whatever they send', { timeout: 60_000 }, async () => {
  const garbage = [
    '',
    'Bearer',
    'Bearer ',
    'Basic eDp5',
    `Bearer ${secret}`,
    `Bearer hk_live_${secret}`,
    `Token ${KEY}`,
  ];
  const credentials = [
    undefined,
    ...garbage,
    ...[keys.expired, keys.revoked, keys.reader, keys.reader].map((key) => `Bearer ${key}`),
  ];
  const before = storeContent(store);
  const answers = await fuzz({ ...world, credentials }, POWERLESS_REQUESTS);
  expect(answers.filter(({ status, request }) => status < 300 && request.method === 'POST')).toEqual([]);
  expect(storeContent(store)).toEqual(before);
});

it('callers with power change what they are told they changed, and no more', {
  timeout: 60_000,
}, async () => {
  const before = { runs: column(store, 'runs', 'run_id'), keys: storeContent(store).api_keys };
  const answers = await fuzz({ ...world, credentials: [`Bearer ${KEY}`] }, POWERFUL_REQUESTS);
  const created = answers
    .filter(({ status, request }) => status === 201 && request.path.startsWith('/v1/runs'))
    .map(({ text }) => String(JSON.parse(text).runId));
  expect(created.length).toBeGreaterThan(50);
  expect(column(store, 'runs', 'run_id')).toEqual([...new Set([...before.runs, ...created])].sort());
  expect(storeContent(store).api_keys).toBe(before.keys);
  // The foreign run was asked for often, and given to nobody.
  const foreign = answers.filter(({ request }) => request.path.startsWith(`/v1/runs/${foreignRun}`));
  expect(foreign.length).toBeGreaterThan(50);
  expect(foreign.filter(({ status }) => status < 400)).toEqual([]);
});

it('bytes that are no HTTP are refused, and the host goes on', { timeout: 60_000 }, async () => {
  const before = storeContent(store);
  const problems: string[] = [];
  const all = rawRequests(`Authorization: Bearer ${keys.reader}\r\n`, random);
  for (let start = 0; start < all.length; start += CONNECTIONS) {
    const batch = all.slice(start, start + CONNECTIONS);
    const answers = await Promise.all(batch.map((bytes) => exchange(url, bytes)));
    for (const [index, text] of answers.entries()) {
      const status = text.match(/(?<=^HTTP\/1\.1 )\d{3}/gm)?.map(Number) ?? [];
      if (status.some((each) => each >= 500) || revealing(text))
        problems.push(`${JSON.stringify(batch[index]?.slice(0, 200))} => ${text.slice(0, 300)}`);
    }
  }
  expect(problems.slice(0, SHOWN)).toEqual([]);
  expect(storeContent(store)).toEqual(before);
  expect((await request(`${url}/readyz`)).statusCode).toBe(200);
});

it('the log of the host shows no failure and no secret', () => {
  const text = host.logged.map((line) => JSON.stringify(line));
  expect(host.logged.filter(({ level }) => Number(level) >= 50).slice(0, SHOWN)).toEqual([]);
  expect(text.filter((line) => line.includes(secret) || line.includes(KEY)).slice(0, SHOWN)).toEqual([]);
});

/** Sends random requests and fails on every answer that breaks a rule. */
async function fuzz(given: World, count: number): Promise<FuzzAnswer[]> {
  const answers: FuzzAnswer[] = [];
  const problems: string[] = [];
  await sendAll(url, randomRequests(given, count, random.int(0, 2 ** 31 - 1)), CONNECTIONS, (answer) => {
    answers.push(answer);
    const problem = problemOf(answer);
    if (problem === undefined) return;
    const { method, path, headers, body } = answer.request;
    problems.push(
      `${problem}: ${method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)} ${String(body).slice(0, 300)} => ${answer.status} ${answer.text.slice(0, 500)}`,
    );
  });
  expect(problems.slice(0, SHOWN)).toEqual([]);
  expect(answers).toHaveLength(count);
  expect((await request(`${url}/readyz`)).statusCode).toBe(200);
  return answers;
}

/** What is wrong with an answer, if anything. */
function problemOf({ status, headers, text, request: { method } }: FuzzAnswer): string | undefined {
  if (status === 0) return 'no answer';
  if (status >= 500) return 'a server error';
  if (status < 400) return undefined;
  if (revealing(text) || text.includes(secret)) return 'reveals something';
  if (method === 'HEAD') return undefined;
  if (headers['content-type'] !== 'application/json') return 'an error that is no JSON';
  if (!isEnvelope(JSON.parse(text))) return 'no closed envelope';
  return undefined;
}

/** Stack traces, paths of this machine, keys. */
function revealing(text: string): boolean {
  return (
    /node_modules|\.ts:\d|\bat [\w.<>]+ \(|SQLITE|\/kernel\/|\/plugins\//.test(text) ||
    [KEY, ...Object.values(keys)].some((key) => text.includes(key))
  );
}

async function createKeys(): Promise<typeof keys> {
  const logger = pino({ level: 'silent' });
  const opened = openStore({ path: store, logger });
  const make = async (scopes: string[], tenant: string, now = Date.now) => {
    const keyStore = openKeyStore(opened.database, { now });
    const expiresAt = now === Date.now ? undefined : now() + 1_000;
    const { key, secret: text } = await keyStore.create({
      label: 'fuzz',
      scopes,
      tenantIds: [tenant],
      test: true,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    return { keyStore, keyId: key.keyId, text };
  };
  const all = ['runs:create', 'runs:read', 'runs:cancel', 'manifest:read', 'manifest:write'];
  const revoked = await make(all, 'default');
  await revoked.keyStore.revoke(revoked.keyId);
  const made = {
    reader: (await make(['runs:read', 'manifest:read'], 'default')).text,
    stranger: (await make(all, 'other')).text,
    expired: (await make(all, 'default', () => Date.now() - 60_000)).text,
    revoked: revoked.text,
  };
  await opened.close();
  return made;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
async function post(key: string, path: string, body: object, status: number): Promise<any> {
  const answer = await request(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = await answer.body.json();
  expect(answer.statusCode, JSON.stringify(json)).toBe(status);
  return json;
}
