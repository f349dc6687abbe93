import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Invocation } from '../../../kernel/dispatch/types.ts';
import { mergeCapabilities } from '../../../kernel/plugin/index.ts';
import { PluginFolders } from '../../../test/support/plugin-folders.ts';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const kernelVersion: string = readJson(join(import.meta.dirname, '../../../package.json')).version;
const files: string[] = readJson(join(import.meta.dirname, 'package.json')).files;

let folders: PluginFolders;
beforeEach(() => {
  folders = new PluginFolders();
});
afterEach(() => folders.remove());

/** Copies what `npm publish` would send. */
function install(to: string): void {
  for (const file of ['package.json', ...files])
    cpSync(join(import.meta.dirname, file), join(folders.dir, to, file));
}

describe.each([
  ['a folder', 'vendor/greeting', './vendor/greeting'],
  ['an npm package', 'node_modules/wopr-plugin-greeting', 'wopr-plugin-greeting'],
])('the example plugin from %s', (_, place, entry) => {
  it('greets, says so in the capabilities, and leaves nothing behind', async () => {
    install(place);
    folders.file('wopr.config.json', {
      pluginPaths: [entry],
      plugins: { greeting: { config: { salutation: 'Good day' } } },
    });
    const plan = folders.plan({}, { kernelVersion });
    expect(plan.problems).toEqual([]);
    expect(plan.plugins).toMatchObject([{ state: 'ready', file: { folder: join(folders.dir, place) } }]);
    const host = folders.host({ plan });
    await host.load();
    await host.ready();

    const nodeType = host.extensions.get('nodeTypes', 'community.example.greeting');
    const context = { signal: new AbortController().signal, log: () => undefined };
    const greet = (inputs: object) => nodeType?.execute({ config: {}, inputs } as Invocation, context);
    expect(greet({ name: 'Ada' })).toEqual({ kind: 'completed', outputs: { greeting: 'Good day, Ada!' } });
    expect(greet({})).toMatchObject({ kind: 'failed', retryable: false });
    expect(mergeCapabilities(host.extensions.list('capabilities'))).toEqual({
      greeting: { supported: true, salutation: 'Good day' },
    });

    await host.stopAll();
    expect(host.effects()).toEqual([]);
    expect(mergeCapabilities(host.extensions.list('capabilities'))).toEqual({});
  });
});
