// Random requests: valid ones, almost valid ones and nonsense, for every operation.
import fc from 'fast-check';
import type { Operation } from './operations.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer | undefined;
}

export interface World {
  readonly operations: readonly Operation[];
  /** Values of the Authorization header; undefined sends none. */
  readonly credentials: readonly (string | undefined)[];
  /** Ids that exist, visible to somebody or not. */
  readonly runIds: readonly string[];
  readonly workflowIds: readonly string[];
  /** A definition that could be registered. */
  readonly definition: object;
  /** Stands for a secret wherever a client may put one: as a value, never as the name of a field or as an id. */
  readonly secret: string;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'QUERY'];

/** Raw path segments, already as they go over the wire. */
const HOSTILE_SEGMENTS = [
  '%',
  '%zz',
  '%00',
  'a%00b',
  '%ff%fe',
  '%c3%28',
  '%2e%2e',
  '..',
  '.',
  '..%2f..%2fetc%2fpasswd',
  'a%2Fb',
  'a%5Cb',
  '%25',
  '%E2%82%AC',
  '%F0%9F%98%80',
  'x:fork',
  'x:cancel',
  ':cancel',
  ':',
  '::',
  '*',
  '~',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '0',
  "'%20OR%201=1--",
  '{runId}',
  'x'.repeat(128),
  'x'.repeat(129),
  'x'.repeat(200),
  '%61'.repeat(128),
  '%E2%82%AC'.repeat(60),
  'run_0',
];

const HOSTILE_QUERY_VALUES = [
  '',
  '0',
  '-1',
  '1',
  '60',
  '5000',
  '5001',
  '1e3',
  '0x10',
  '1.5',
  'NaN',
  'Infinity',
  '99999999999999999999',
  'true',
  'null',
  'undefined',
  '[]',
  '%00',
  '%',
  '%zz',
  '%ff',
  'updates',
  'values',
  'debug,updates',
  'updates,,',
  'completed',
  'x'.repeat(300),
  "'",
  '%0d%0aset-cookie:%20a=b',
];

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=latin1',
  'APPLICATION/JSON',
  'text/plain',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'json',
  ';',
  ',',
  'application/json, application/json',
];

const segment = ({ runIds, workflowIds }: World): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...runIds, ...workflowIds) },
    { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_SEGMENTS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map(encoded) },
  );

/** Percent-encoded; what cannot be encoded (half a surrogate pair) is sent as its bytes would be. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

const queryOf = (names: readonly string[]): fc.Arbitrary<string> => {
  const name = fc.constantFrom(...names, 'unknown', '__proto__', 'a[b]', '%00', '');
  const pair = fc
    .tuple(name, fc.constantFrom(...HOSTILE_QUERY_VALUES))
    .map(([key, value]) => `${key}=${value}`);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 3, arbitrary: fc.array(pair, { maxLength: 4 }).map((pairs) => `?${pairs.join('&')}`) },
    { weight: 1, arbitrary: fc.constantFrom('?', '??', '?&&&', '?=', '?%', `?${'a=1&'.repeat(500)}`, '#x') },
  );
};

/** Headers that are valid HTTP, whatever they mean. */
const extraHeaders = ({ secret }: World): fc.Arbitrary<Record<string, string | string[]>> => {
  const header = (name: string, ...values: (string | string[])[]) =>
    fc.constantFrom(...values).map((value): [string, string | string[]] => [name, value]);
  return fc
    .array(
      fc.oneof(
        header('idempotency-key', 'k', '', ' ', 'x'.repeat(255), 'x'.repeat(256), 'ü', ['a', 'b'], secret),
        header('x-dedup', 'enforce', 'true', '', ['enforce', 'enforce']),
        header('x-force-engine-version', '1', '99', '-1', 'x', '', '1e1', ['1', '1']),
        header('last-event-id', '0', '-1', 'x', '999999', '1.5', ['1', '2']),
        header('accept', 'application/json', 'text/event-stream', '*/*', '', ',', 'application/json;q=0'),
        header('traceparent', '00-0', 'x', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, ['a', 'b']),
        header('tracestate', 'x'.repeat(600), '=', ','),
        header('if-none-match', '*', '"x"', 'W/"x"', ','),
        header('content-encoding', 'gzip', 'identity', 'br, gzip'),
        header('user-agent', 'openwop-sdk/0.1', 'openwop-sdk/x', 'openwop-sdk/9.9.9', ''),
        header('x-forwarded-for', '1.2.3.4', '::', 'x'),
        header('x-forwarded-proto', 'https', 'javascript'),
        header('x-forwarded-host', 'evil.example', 'a b'),
        header('cookie', `session=${secret}`),
        header('x-large', 'y'.repeat(4_000), 'y'.repeat(20_000)),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => Object.fromEntries(pairs));
};

const badJson = ({ secret }: World) =>
  fc.constantFrom(
    '',
    ' ',
    '{',
    '}',
    '[',
    'nul',
    'NaN',
    '"',
    `{"workflowId": ${secret}}`,
    `{"password":"${secret}`,
    "{'workflowId':'x'}",
    '{"a":1,}',
    '\u0000',
    '{"a":"\u0001"}',
    '{"__proto__":{"admin":true}}',
    '\ufeff{}',
    '{}{}',
    `${'['.repeat(10_000)}`,
    `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    `${'['.repeat(65)}${']'.repeat(65)}`,
    'null',
    'true',
    '7',
    '1e999',
    '"text"',
    '[]',
    '[{}]',
  );

const badBytes = fc.constantFrom(
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('{"workflowId":"\xe9"}', 'latin1'),
  Buffer.from([0xc3, 0x28]),
  Buffer.alloc(64),
  Buffer.alloc(1_200_000, 0x20),
);

const goodRunBody = ({ workflowIds }: World) =>
  fc.record(
    {
      workflowId: fc.constantFrom(...workflowIds),
      inputs: fc.dictionary(
        fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
        fc.jsonValue({ maxDepth: 2 }),
        { maxKeys: 3 },
      ),
      scopeId: fc.constantFrom('s1', 's2'),
      configurable: fc.constantFrom({ recursionLimit: 5 }, { temperature: 1, 'acme.key': [] }),
      tags: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 3 }),
      metadata: fc.constantFrom({ a: 1 }, {}),
    },
    { requiredKeys: ['workflowId'] },
  );

const wildRunBody = ({ workflowIds, secret }: World) => {
  const any = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(secret));
  return fc.record(
    {
      workflowId: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...workflowIds) },
        fc.jsonValue({ maxDepth: 1 }),
      ),
      inputs: fc.oneof(fc.dictionary(fc.string({ maxLength: 8 }), any, { maxKeys: 3 }), any),
      tenantId: fc.oneof(fc.constantFrom('default', 'other', ''), any),
      scopeId: fc.oneof(fc.constantFrom('s1', 's2', ''), any),
      callbackUrl: fc.oneof(fc.constantFrom('https://example.com/x', 'javascript:1', 'x'), any),
      configurable: fc.oneof(
        fc.constantFrom<object>(
          { recursionLimit: 0 },
          { recursionLimit: 5 },
          { temperature: 9 },
          { mockProvider: { id: 'x' } },
          { 'ai.provider': secret },
          { ai: { credentialRef: secret } },
        ),
        any,
      ),
      tags: fc.oneof(fc.array(fc.string({ maxLength: 300 }), { maxLength: 3 }), any),
      metadata: fc.oneof(fc.dictionary(fc.string({ maxLength: 8 }), any, { maxKeys: 3 }), any),
      apiKey: any,
    },
    { requiredKeys: ['workflowId'] },
  );
};

/** A definition with one thing changed. */
const definitionBody = ({ definition, secret }: World) =>
  fc
    .tuple(
      fc.constantFrom(
        ...Object.keys(definition),
        'description',
        'configurableSchema',
        'channels',
        'password',
      ),
      fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom<unknown>(undefined, [], {}, 'x', secret)),
    )
    .map(([key, value]) => ({ ...definition, [key]: value }));

function bodyOf(operation: Operation, world: World): fc.Arbitrary<string | Buffer | undefined> {
  const likely = operation.path.endsWith('/workflows')
    ? definitionBody(world)
    : operation.path.endsWith('/runs')
      ? fc.oneof(goodRunBody(world), wildRunBody(world))
      : fc.record({ reason: fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: [] });
  const texts = fc.oneof(
    { weight: 6, arbitrary: likely.map((value) => JSON.stringify(value)) },
    { weight: 3, arbitrary: badJson(world) },
    { weight: 2, arbitrary: fc.json({ maxDepth: 3 }) },
  );
  return fc.oneof(
    { weight: 40, arbitrary: texts },
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: badBytes },
  );
}

/** Requests for one operation. */
function requestFor(operation: Operation, world: World): fc.Arbitrary<FuzzRequest> {
  const segments = operation.path.split(/\{\w+\}/);
  const path = fc
    .tuple(...segments.slice(1).map(() => segment(world)))
    .map((values) => segments.reduce((done, part, index) => `${done}${values[index - 1]}${part}`));
  return fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path,
      query: queryOf(operation.query),
      credential: fc.constantFrom(...world.credentials),
      type: fc.oneof(
        { weight: 8, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constantFrom(undefined, ...CONTENT_TYPES) },
      ),
      headers: fc.oneof(
        { weight: 2, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: extraHeaders(world) },
      ),
      body: operation.hasBody
        ? bodyOf(operation, world)
        : fc.oneof(
            { weight: 12, arbitrary: fc.constant(undefined) },
            { weight: 1, arbitrary: badJson(world) },
          ),
    })
    .map(({ method, path, query, credential, type, headers, body }) => ({
      method,
      path: `${path}${query}`,
      headers: {
        ...(credential === undefined ? {} : { authorization: credential }),
        ...(type === undefined || body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      body,
    }));
}

/** `count` requests, spread over all operations and some paths that are none. */
export function randomRequests(world: World, count: number, seed: number): FuzzRequest[] {
  const nowhere = { method: 'GET', path: '/v1/{any}/{more}', query: [], hasBody: false };
  const weighted = [...world.operations, nowhere].map((operation) => ({
    // There is more to get wrong in a body.
    weight: operation.hasBody ? 3 : 1,
    arbitrary: requestFor(operation, world),
  }));
  return fc.sample(fc.oneof(...weighted), { numRuns: count, seed });
}
