import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandFailure } from '../commands.ts';
import { WoprError } from '../errors.ts';
import { runCli } from './cli.ts';
import { reportError } from './report.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'wopr-cli-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function wopr(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    env: {},
    cwd,
    version: '1.2.3',
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    onSignal: () => () => {},
  });
  return { code, out, err };
}

/** A plugin folder with one command whose action is `body`, named by the configuration in `cwd`. */
function pluginWith(body: string): void {
  mkdirSync(join(cwd, 'mine'));
  const commands = [{ name: 'greet', summary: 'greets', group: 'Mine', module: 'greet.mjs' }];
  const manifest = {
    manifestVersion: 1,
    name: 'mine',
    version: '1.0.0',
    description: 'd',
    kernel: '*',
    contributes: { commands },
  };
  writeFileSync(join(cwd, 'mine', 'plugin.json'), JSON.stringify(manifest));
  writeFileSync(
    join(cwd, 'mine', 'greet.mjs'),
    `export function define(program, context) { program.command('greet').argument('<name>').option('--loud').action(async (name, options) => { ${body} }); }`,
  );
  writeFileSync(join(cwd, 'wopr.config.json'), JSON.stringify({ pluginPaths: ['./mine'] }));
}

describe('help and version', () => {
  it('teaches: commands under headings, examples, flags, environment', async () => {
    const { code, out } = await wopr('--help');
    expect(code).toBe(0);
    expect(out).toContain('wopr 1.2.3: a host for OpenWOP workflows');
    expect(out).toMatch(/Run workflows\n {2}run +start a run from a workflow file or id, and watch it\n/);
    expect(out).toMatch(/Operate a host\n {2}serve +start a host and serve its HTTP API\n/);
    expect(out).toContain('wopr run hello.json --watch');
    expect(out).toContain('--data-dir <dir>');
    expect(out).toContain('OPENWOP_API_KEY');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('shows it, with exit code 2, when no command is given', async () => {
    const { code, out } = await wopr();
    expect(code).toBe(2);
    expect(out).toContain('Usage: wopr <command>');
  });

  it('prints the version as text and as JSON', async () => {
    expect(await wopr('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' });
    expect(await wopr('--version', '--json')).toEqual({ code: 0, out: '{"version":"1.2.3"}\n', err: '' });
  });

  it.each(['run', 'runs', 'workflow', 'serve', 'check', 'doctor', 'plugin', 'keys', 'config'])(
    '%s --help has examples',
    async (name) => {
      const { code, out } = await wopr(name, '--help');
      expect(code).toBe(0);
      expect(out).toContain('Examples:\n  $ ');
      expect((await wopr('help', name)).out).toBe(out);
    },
  );
});

describe('usage mistakes', () => {
  it('names the nearest command and exits with 2', async () => {
    const { code, out, err } = await wopr('srve');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      'wopr: Unknown command "srve".\n  hint: The nearest one is "wopr serve"; wopr --help lists them all.\n',
    );
  });

  it('names no command that nobody could have meant', async () => {
    expect((await wopr('frobnicate')).err).toBe(
      'wopr: Unknown command "frobnicate".\n  hint: wopr --help lists them all.\n',
    );
  });

  it('reports as the envelope with --json', async () => {
    const { code, err } = await wopr('srve', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({ error: 'usage', message: 'Unknown command "srve".' });
  });

  it.each([
    [['run'], "Missing required argument 'workflow'."],
    [['runs'], 'runs needs a subcommand.'],
    [['runs', 'lst'], 'list'],
    [['run', 'x', '--frob'], "Unknown option '--frob'"],
    [['runs', 'list', '--limit', '0'], '--limit must be a whole number from 1 to 200.'],
  ])('%j exits with 2', async (argv, message) => {
    const { code, err } = await wopr(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
  });
});

describe('commands of plugins named in the configuration', () => {
  it('are found, listed under their heading and given their arguments and context', async () => {
    pluginWith(
      'context.stdout.write(JSON.stringify({ name, loud: options.loud, json: context.json, argv: context.argv })); context.exit(7);',
    );
    const { code, out } = await wopr('greet', 'Ada', '--loud', '--json');
    expect(JSON.parse(out)).toEqual({ name: 'Ada', loud: true, json: true, argv: ['Ada', '--loud'] });
    expect(code).toBe(7);
    expect((await wopr('--help')).out).toMatch(/Mine\n {2}greet +greets\n/);
  });

  it('may fail in any way without a stack trace', async () => {
    pluginWith("throw new Error('boom');");
    const { code, err } = await wopr('greet', 'Ada');
    expect(code).toBe(1);
    expect(err).toBe(
      'wopr: Unexpected: boom\n  hint: Run it again with --log-level debug to see where; please report it.\n  more: docs/errors.md, internal_error\n',
    );
    expect((await wopr('greet', 'Ada', '--log-level', 'debug')).err).toContain('    at ');
  });
});

describe('reportError', () => {
  const report = (error: unknown, json = false) => {
    let text = '';
    const code = reportError(error, { write: (part) => (text += part) }, { json, stack: false });
    return { code, text };
  };

  it('lists the findings of a validation error in place of the hint to look for them', () => {
    const error = new WoprError('validation_error', 'The workflow is not valid.', {
      details: {
        errors: [
          { path: '/nodes/0/id', message: 'must be a string' },
          { path: '', message: 'no nodes' },
        ],
      },
    });
    expect(report(error)).toEqual({
      code: 1,
      text: 'wopr: The workflow is not valid.\n  /nodes/0/id: must be a string\n  /: no nodes\n  more: docs/errors.md, validation_error\n',
    });
  });

  it('maps kinds of failure to exit codes', () => {
    expect(report(new WoprError('config_invalid', 'x')).code).toBe(2);
    expect(report(new WoprError('conflict', 'x')).code).toBe(1);
    expect(report(new CommandFailure(3, 'host_unreachable', 'x')).code).toBe(3);
    expect(report('odd').code).toBe(1);
  });

  it('prints the closed envelope for machines', () => {
    expect(JSON.parse(report(new WoprError('conflict', 'x', { details: { a: 1 } }), true).text)).toEqual({
      error: 'conflict',
      message: 'x',
      details: { a: 1 },
    });
  });
});
