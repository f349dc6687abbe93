/** The bin as a user meets it: real processes, an empty folder, no host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../kernel/main.ts', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../docs/examples/', import.meta.url));

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'wopr-process-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

let children: ChildProcess[] = [];
afterEach(async () => {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ends = running.map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ends);
  children = [];
});

/** Without settings of the machine that runs the test. */
function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(OPENWOP_|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd,
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function finish(
  child: ReturnType<typeof start>,
): Promise<{ code: number | null; out: string; err: string }> {
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, out, err };
}

const wopr = (...argv: string[]) => finish(start(argv));

const example = (name: string) => join(EXAMPLES, name);

describe('run', () => {
  it('runs a file in an empty folder and shows each step as a line', async () => {
    const { code, out, err } = await wopr('run', example('hello.json'), '--input', 'name=Ada', '--watch');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(
      out.split('\n').map((line) => line.replace(/^\s*\+\d+\.\d{3} s {2}| run_\w+|\d+ ms/g, '')),
    ).toEqual([
      'Say hello started, run',
      'Greet started',
      'Greet completed in ',
      'run completed in , outputs {"greeting":"Hello, Ada!"}',
      '',
    ]);
  });

  it('prints the snapshot, or one event per line, with --json', async () => {
    const snapshot = JSON.parse(
      (await wopr('run', example('approve-expense.json'), '-i', 'amount=500', '--json')).out,
    );
    expect(snapshot).toMatchObject({ status: 'completed', outputs: { refused: 'over the limit of 100' } });
    const { out } = await wopr('run', 'approve-expense', '-i', 'amount=5', '--json', '--watch');
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i));
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
  });

  it('exits with 1 for a run that fails, and says why', async () => {
    const hello = JSON.parse(readFileSync(example('hello.json'), 'utf8'));
    hello.nodes[0] = {
      ...hello.nodes[0],
      typeId: 'core.fail',
      config: { code: 'no_luck', message: 'Not today.' },
    };
    writeFileSync(join(cwd, 'sad.json'), JSON.stringify(hello));
    const { code, out } = await wopr('run', 'sad.json');
    expect(code).toBe(1);
    expect(out).toMatch(/^run run_\w+ failed in .*\nno_luck: Not today\.\n$/);
  });

  it('keeps runs for later commands', async () => {
    await wopr('run', example('hello.json'), '--tag', 'kept');
    const { runs } = JSON.parse((await wopr('runs', 'list', '--tag', 'kept', '--json')).out);
    expect(runs).toEqual([
      expect.objectContaining({ workflowId: 'hello', status: 'completed', tags: ['kept'] }),
    ]);
    expect((await wopr('runs', 'show', runs[0].runId)).out).toContain('✓ Greet');
    const events = (await wopr('runs', 'events', runs[0].runId, '--json')).out.trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line).type)).toEqual([
      'run.started',
      'node.started',
      'node.completed',
      'run.completed',
    ]);
    expect(JSON.parse((await wopr('runs', 'cancel', runs[0].runId, '--json')).out)).toEqual({
      runId: runs[0].runId,
      status: 'completed',
    });
  });

  it('runs a file as it is now, whatever was run before', async () => {
    const file = join(cwd, 'mine.json');
    const greet = async (text: string) => {
      const hello = JSON.parse(readFileSync(example('hello.json'), 'utf8'));
      hello.nodes[0].inputs.greeting = { type: 'static', value: text };
      writeFileSync(file, JSON.stringify(hello));
      return JSON.parse((await wopr('run', file, '--json')).out);
    };
    expect(await greet('one')).toMatchObject({ outputs: { greeting: 'one' }, workflowVersion: '1.0' });
    expect(await greet('two')).toMatchObject({ outputs: { greeting: 'two' } });
    expect((await greet('one')).outputs).toEqual({ greeting: 'one' });
  });

  it('leaves a run it was told to stop watching to the next host, which finishes it', async () => {
    const child = start(['run', example('wait-and-see.json'), '-i', 'seconds=2', '--watch']);
    const err = text(child.stderr);
    let seen = '';
    for await (const chunk of child.stdout) {
      seen += chunk;
      if (seen.includes('Wait started')) child.kill('SIGINT');
    }
    const code = child.exitCode ?? (await once(child, 'close'))[0];
    expect(code).toBe(130);
    expect(await err).toMatch(/^Stopped watching\. .*wopr serve/);
    const runId = /run (run_\w+)/.exec(seen)?.[1] ?? '';
    expect(JSON.parse((await wopr('runs', 'show', runId, '--json')).out).status).toBe('running');
    // Any process that executes runs takes it over; this one only has to live long enough.
    await wopr('run', 'wait-and-see', '-i', 'seconds=3');
    expect(JSON.parse((await wopr('runs', 'show', runId, '--json')).out).status).toBe('completed');
  });
});

describe('mistakes', () => {
  it.each([
    ['an unknown workflow', ['run', 'nosuch'], 1, 'validation_error'],
    ['a missing file', ['run', './nosuch.json'], 2, 'usage'],
    ['a missing input', ['run', example('approve-expense.json')], 1, 'validation_error'],
    ['an unknown run', ['runs', 'show', 'run_nosuch'], 1, 'not_found'],
    ['a host that is not there', ['runs', 'list', '--url', 'http://127.0.0.1:1'], 3, 'host_unreachable'],
    ['an unknown plugin', ['plugin', 'info', 'htp'], 1, 'not_found'],
  ])('%s', async (_, argv, exitCode, error) => {
    const { code, out, err } = await wopr(...argv, '--json');
    expect({ code, out }).toEqual({ code: exitCode, out: '' });
    expect(JSON.parse(err)).toMatchObject({ error });
    expect(err).not.toMatch(/ {4}at /);
  });

  it('a configuration that does not hold exits with 2 and names the key', async () => {
    writeFileSync(join(cwd, 'wopr.config.json'), '{"shutdownGraceMS": 1}');
    const { code, err } = await wopr('check');
    expect(code).toBe(2);
    expect(err).toContain('shutdownGraceMS');
    expect(err).toContain('"shutdownGraceMs"');
  });
});

describe('looking without starting', () => {
  it('validates files and points to what is wrong', async () => {
    const good = await wopr('workflow', 'validate', example('hello.json'));
    expect(good).toMatchObject({ code: 0, out: `✓ ${example('hello.json')} is valid\n` });
    const hello = JSON.parse(readFileSync(example('hello.json'), 'utf8'));
    hello.nodes[0].typeId = 'core.nosuch';
    writeFileSync(join(cwd, 'bad.json'), JSON.stringify(hello));
    const bad = await wopr('workflow', 'validate', 'bad.json', '--json');
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({
      valid: false,
      files: [{ errors: [{ path: '/nodes/0/typeId', nodeId: 'greet' }] }],
    });
  });

  it('checks the plugins that ship with wopr', async () => {
    const { code, out } = await wopr('check', '--json');
    expect(JSON.parse(out)).toMatchObject({ ok: true, problems: [] });
    expect(code).toBe(0);
  });

  it('shows where configuration comes from, and its schema', async () => {
    writeFileSync(join(cwd, 'wopr.config.json'), '{"engine": {"maxLiveRuns": 7}}');
    const { values } = JSON.parse((await wopr('config', 'show', '--json')).out);
    expect(values).toContainEqual({
      key: 'engine.maxLiveRuns',
      value: 7,
      source: join(cwd, 'wopr.config.json'),
    });
    const schema = JSON.parse((await wopr('config', 'schema')).out);
    expect(schema.properties.plugins.properties.http.properties.config.properties).toHaveProperty('port');
  });

  it.each([
    ['natz', 'which no plugin provides'],
    ['nats', 'run "wopr plugin enable nats"'],
  ])('finds that nothing provides the dispatcher %s', async (dispatcher, why) => {
    writeFileSync(join(cwd, 'wopr.config.json'), JSON.stringify({ dispatch: { dispatcher } }));
    const { code, out } = await wopr('check', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining(why) }],
    });
  });

  it('disables and enables a plugin in the configuration file', async () => {
    expect((await wopr('plugin', 'disable', 'http')).code).toBe(0);
    const state = async () => JSON.parse((await wopr('plugin', 'info', 'http', '--json')).out).state;
    expect(await state()).toBe('disabled');
    await wopr('plugin', 'enable', 'http');
    expect(await state()).toBe('ready');
  });

  it('examines the machine and the store', async () => {
    // Whatever else this machine serves must not matter.
    const plugins = { http: { config: { port: 0 } }, ops: { config: { port: 0 } } };
    writeFileSync(join(cwd, 'wopr.config.json'), JSON.stringify({ plugins }));
    const before = JSON.parse((await wopr('doctor', '--json')).out);
    expect(before.examinations).toContainEqual(
      expect.objectContaining({ name: 'store', detail: expect.stringContaining('does not exist yet') }),
    );
    await wopr('run', example('hello.json'));
    const after = JSON.parse((await wopr('doctor', '--json')).out);
    expect(after.examinations).toContainEqual({ name: 'runs', status: 'ok', detail: '1 completed' });
    expect(after.examinations).toContainEqual(expect.objectContaining({ name: 'integrity', status: 'ok' }));

    const store = new DatabaseSync(join(cwd, '.wopr', 'wopr.sqlite'));
    store.exec(
      "DELETE FROM events WHERE sequence = 1; INSERT INTO instances VALUES ('gone', 0, 0); UPDATE runs SET owner = 'gone'",
    );
    store.close();
    const damaged = await wopr('doctor', '--json');
    expect(damaged.code).toBe(1);
    const found: { name: string; status: string; detail: string }[] = JSON.parse(damaged.out).examinations;
    expect(
      found.filter(({ name }) => name === 'integrity').map(({ detail }) => detail.split(':')[0]),
    ).toContain('sequences');
    expect(found).toContainEqual(expect.objectContaining({ name: 'claim gone', status: 'warning' }));
    expect((await wopr('doctor', '--quick')).code).toBe(0);

    writeFileSync(join(cwd, '.wopr', 'wopr.sqlite'), 'not a database');
    expect(JSON.parse((await wopr('doctor', '--json')).out).examinations).toContainEqual(
      expect.objectContaining({ name: 'store', status: 'failed' }),
    );
  });
});

describe('serve', () => {
  const key = 'hk_test_process-test-key';

  /** A host on a free port; resolves once it is ready. Its log lines go on being collected. */
  async function serve() {
    const child = start(['serve', '--port', '0'], {
      OPENWOP_API_KEY: key,
      OPENWOP_PLUGINS__OPS__ENABLED: 'false',
    });
    const lines: string[] = [];
    const err = text(child.stderr);
    const closed = once(child, 'close');
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on('line', (line) => {
        lines.push(line);
        if (line.includes('"host is ready"')) resolve(JSON.parse(line).url);
      });
      closed.then(async () => reject(new Error(`The host ended: ${await err}`)));
    });
    return { child, url, lines, closed };
  }

  it('is found through the data folder, is spoken to over HTTP, and stops with exit code 0', async () => {
    const { child, url, lines, closed } = await serve();
    const overHttp = (...argv: string[]) => finish(start(argv, { OPENWOP_API_KEY: key }));
    const run = await overHttp(
      'run',
      example('hello.json'),
      '-i',
      'name=Eve',
      '--tag',
      'http',
      '--watch',
      '--json',
    );
    const events = run.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual([
      'run.started',
      'node.started',
      'node.completed',
      'run.completed',
    ]);
    expect(events[0].payload.transport).toBe('rest');
    const list = JSON.parse((await overHttp('runs', 'list', '--tag', 'http', '--json')).out);
    expect(list.runs).toMatchObject([{ runId: events[0].runId, status: 'completed' }]);
    expect((await overHttp('runs', 'show', events[0].runId)).out).toContain(
      'outputs {"greeting":"Hello, Eve!"}',
    );

    const elsewhere = await finish(
      start(['workflow', 'list', '--url', url, '--json', '--data-dir', join(cwd, 'other')], {
        OPENWOP_API_KEY: key,
      }),
    );
    expect(JSON.parse(elsewhere.out).workflows).toMatchObject([{ workflowId: 'hello', name: 'Say hello' }]);
    expect(existsSync(join(cwd, 'other'))).toBe(false);

    writeFileSync(
      join(cwd, 'edited.json'),
      readFileSync(example('hello.json'), 'utf8').replace('Hello', 'Goodbye'),
    );
    const edited = await overHttp('run', 'edited.json', '--json');
    expect(edited.code).toBe(1);
    expect(JSON.parse(edited.err)).toMatchObject({
      error: 'conflict',
      message: expect.stringContaining('version 1.0 of "hello"'),
    });

    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(existsSync(join(cwd, '.wopr', 'host.json'))).toBe(false);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(lines.join('')).not.toContain(key);
  });

  it('tells a wrong key from a missing host', async () => {
    const { url } = await serve();
    const wrong = await finish(
      start(['runs', 'list', '--url', url, '--json'], { OPENWOP_API_KEY: 'hk_live_wrong-wrong' }),
    );
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.err)).toMatchObject({ error: 'unauthenticated' });
  });

  it('ends at once, with exit code 1, at a second signal', async () => {
    mkdirSync(join(cwd, 'slow'));
    const manifest = {
      manifestVersion: 1,
      name: 'slow',
      version: '1.0.0',
      description: 'Never drained.',
      kernel: '*',
      entry: 'slow.mjs',
    };
    writeFileSync(join(cwd, 'slow', 'plugin.json'), JSON.stringify(manifest));
    writeFileSync(
      join(cwd, 'slow', 'slow.mjs'),
      'export const activate = (context) => context.onDrain(() => new Promise(() => {}));',
    );
    writeFileSync(
      join(cwd, 'wopr.config.json'),
      JSON.stringify({ pluginPaths: ['./slow'], shutdownGraceMs: 600_000 }),
    );
    const { child, closed } = await serve();
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('"stopping;')) child.kill('SIGTERM');
    });
    child.kill('SIGTERM');
    expect(await closed).toEqual([1, null]);
  });

  it('shares its data folder with commands that have no key', async () => {
    await serve();
    const { code, out } = await wopr('run', example('hello.json'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).status).toBe('completed');
  });
});

describe('keys', () => {
  it('shows a key once, lists it without its secret, and ends it', async () => {
    const { key, secret } = JSON.parse((await wopr('keys', 'create', 'me', '--expires', '1d', '--json')).out);
    const list = await wopr('keys', 'list', '--json');
    expect(JSON.parse(list.out).keys).toMatchObject([{ keyId: key.keyId, label: 'me', status: 'active' }]);
    expect(list.out).not.toContain(secret);
    const rotated = JSON.parse((await wopr('keys', 'rotate', key.keyId, '--grace', '15m', '--json')).out);
    expect(rotated).toMatchObject({
      key: { label: 'me', scopes: key.scopes },
      replaced: { keyId: key.keyId, status: 'active' },
    });
    await wopr('keys', 'revoke', key.keyId);
    const after = JSON.parse((await wopr('keys', 'list', '--json')).out).keys;
    expect(after.map(({ status }: { status: string }) => status)).toEqual(['revoked', 'active']);
  });

  it('refuses a slip in a scope, and takes a scope of a plugin', async () => {
    const slip = await wopr('keys', 'create', 'x', '--scope', 'runs:raed');
    expect(slip).toMatchObject({ code: 2, out: '' });
    expect(slip.err).toContain('The nearest one is "runs:read".');
    expect((await wopr('keys', 'create', 'x', '--scope', 'community.example:greet')).code).toBe(0);
  });
});
