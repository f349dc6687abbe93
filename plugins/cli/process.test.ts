/** The bin as a user meets it: real processes, an empty folder, no host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

function start(argv: readonly string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OPENWOP_|NO_COLOR|FORCE_COLOR)/.test(name)),
  );
  return spawn(process.execPath, [MAIN, ...argv], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function wopr(...argv: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(argv);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, out, err };
}

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

  it('disables and enables a plugin in the configuration file', async () => {
    expect((await wopr('plugin', 'disable', 'http')).code).toBe(0);
    const state = async () => JSON.parse((await wopr('plugin', 'info', 'http', '--json')).out).state;
    expect(await state()).toBe('disabled');
    await wopr('plugin', 'enable', 'http');
    expect(await state()).toBe('ready');
  });

  it('examines the machine and the store', async () => {
    const before = JSON.parse((await wopr('doctor', '--json')).out);
    expect(before.examinations).toContainEqual(
      expect.objectContaining({ name: 'store', detail: expect.stringContaining('does not exist yet') }),
    );
    await wopr('run', example('hello.json'));
    const after = JSON.parse((await wopr('doctor', '--json')).out);
    expect(after.examinations).toContainEqual({ name: 'runs', status: 'ok', detail: '1 completed' });
  });
});
