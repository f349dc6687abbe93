import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandsIn, type FoundCommand, findCommand } from './commands.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wopr-commands-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function plugin(folder: string, manifest: string): void {
  mkdirSync(join(root, folder));
  writeFileSync(join(root, folder, 'plugin.json'), manifest);
}

const command = (name: string): FoundCommand => ({
  name,
  summary: 's',
  group: undefined,
  plugin: 'p',
  module: 'file:///x',
});

describe('commandsIn', () => {
  it('reads name, summary, heading and module of every manifest without importing the module', () => {
    plugin(
      'one',
      JSON.stringify({
        name: 'one',
        contributes: { commands: [{ name: 'go', summary: 'goes', group: 'G', module: 'none.ts' }] },
      }),
    );
    plugin(
      'two',
      JSON.stringify({
        name: 'two',
        contributes: { commands: [{ name: 'stop', summary: 'stops', module: 'none.ts' }] },
      }),
    );
    expect(commandsIn(root)).toEqual([
      {
        name: 'go',
        summary: 'goes',
        group: 'G',
        plugin: 'one',
        module: pathToFileURL(join(root, 'one', 'none.ts')).href,
      },
      {
        name: 'stop',
        summary: 'stops',
        group: undefined,
        plugin: 'two',
        module: pathToFileURL(join(root, 'two', 'none.ts')).href,
      },
    ]);
  });

  it('gets past folders without a manifest, broken manifests and commands that are none', () => {
    mkdirSync(join(root, 'empty'));
    writeFileSync(join(root, 'file'), '');
    plugin('broken', '{');
    plugin('null', 'null');
    plugin(
      'odd',
      JSON.stringify({
        name: 'odd',
        contributes: { commands: [{ name: 7, summary: 's', module: 'm.ts' }, 'text'] },
      }),
    );
    plugin(
      'good',
      JSON.stringify({
        name: 'good',
        contributes: { commands: [{ name: 'go', summary: 's', module: 'm.ts' }] },
      }),
    );
    expect(commandsIn(root).map(({ name }) => name)).toEqual(['go']);
  });
});

describe('findCommand', () => {
  it('takes the longest name that the words begin with', () => {
    const commands = [command('runs'), command('runs prune'), command('run')];
    expect(findCommand(['runs', 'prune', '--all'], commands)?.name).toBe('runs prune');
    expect(findCommand(['runs', 'list'], commands)?.name).toBe('runs');
    expect(findCommand(['run'], commands)?.name).toBe('run');
    expect(findCommand(['ru'], commands)).toBeUndefined();
  });
});
