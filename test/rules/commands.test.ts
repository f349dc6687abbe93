import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { GLOBAL_FLAGS } from '../../kernel/cli/flags.ts';
import { commandsIn, findCommand } from '../../kernel/commands.ts';
import { codeSpans, fences, ROOT, readPages } from './markdown.ts';

const run = promisify(execFile);
const known = commandsIn(join(ROOT, 'plugins'));
const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts as Record<
  string,
  string
>;
const globalFlags = GLOBAL_FLAGS.map(([flag]) => flag.split(' ')[0]);

const helps = new Map<string, Promise<string>>();
/** The help of a command, printed as a user would see it. */
function help(words: readonly string[]): Promise<string> {
  const key = words.join(' ');
  const text = helps.get(key) ?? printed([...words, '--help']);
  helps.set(key, text);
  return text;
}

async function printed(argv: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(ROOT, 'kernel/main.ts'), ...argv], { cwd: ROOT });
  return stdout;
}

/** Command lines a page shows: in shell blocks, and in code spans that begin with a program of ours. */
function commandLines(page: string): string[] {
  const shell = fences(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  return [...shell, ...codeSpans(page).filter((code) => /^(npx |npm |wopr )/.test(code))]
    .flatMap((line) => line.split(/&&|\||;/))
    .map((line) =>
      line
        .trim()
        .replace(/^(?:\w+=\S* )+/, '')
        .replace(/^npx /, ''),
    )
    .filter((line) => /^(wopr|npm) \S/.test(line));
}

/** What is wrong with a command line, or undefined. */
async function fault(line: string): Promise<string | undefined> {
  const [program, ...words] = line.split(/\s+/);
  if (program === 'npm') {
    const name = words[0] === 'run' ? words[1] : words[0];
    if (words[0] !== 'run' && !['test', 'start'].includes(name ?? '')) return undefined;
    return scripts[name ?? ''] === undefined ? `package.json has no script "${name}"` : undefined;
  }
  if (words[0]?.startsWith('-') || /^[…<]/.test(words[0] ?? '')) return undefined;
  const command = findCommand(words, known);
  if (command === undefined) return `there is no command "${words[0]}"`;
  let path = command.name.split(' ');
  const sub = words[path.length];
  if (sub !== undefined && new RegExp(`^Commands:[\\s\\S]*^ {2}${sub}\\b`, 'm').test(await help(path)))
    path = [...path, sub];
  const text = await help(path);
  const flags = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0] ?? '');
  const unknown = flags.filter(
    (flag) => !globalFlags.includes(flag) && flag !== '--help' && !text.includes(flag),
  );
  return unknown.length === 0 ? undefined : `wopr ${path.join(' ')} has no ${unknown.join(', ')}`;
}

describe('commands in the documentation', () => {
  const pages = [...readPages()].filter(([, text]) => commandLines(text).length > 0);

  it('are found', () => {
    expect(pages.map(([path]) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/operating.md']));
  });

  it.each(pages)('of %s exist', async (_, text) => {
    const faults = await Promise.all(
      commandLines(text).map(async (line) => {
        const reason = await fault(line);
        return reason === undefined ? [] : [`${line}: ${reason}`];
      }),
    );
    expect(faults.flat()).toEqual([]);
  });

  it('are looked at closely', async () => {
    const text =
      '```sh\nA=1 npx wopr run x.json --watch\nnpx wopr run x.json --wach\nnpm run nothing\nwopr fly\n```';
    expect(await Promise.all(commandLines(text).map(fault))).toEqual([
      undefined,
      'wopr run has no --wach',
      'package.json has no script "nothing"',
      'there is no command "fly"',
    ]);
  });
});
