import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Invocation, NodeType } from '../../kernel/dispatch/types.ts';
import { validateDefinition } from '../../kernel/engine/validate.ts';
import { EXTENSION_POINTS } from '../../kernel/plugin/points/rules.ts';
import type { PluginContext, Services } from '../../kernel/plugin/types.ts';
import { WOPR_VERSION } from '../../kernel/version.ts';
import { activate as activateCoreNodes } from '../../plugins/core-nodes/index.ts';
import { PluginFolders } from '../support/plugin-folders.ts';
import { type Fence, fences, ROOT, readPages } from './markdown.ts';

const examples = [...readPages()].flatMap(([page, text]) =>
  fences(text).map((fence, index) => ({ ...fence, place: `${page}, block ${index + 1}` })),
);
const marked = (mark: string) => {
  const found = examples.filter((example) => example.mark === mark);
  return found.map((example): [string, Fence] => [example.place, example]);
};

let folders: PluginFolders;
beforeEach(() => {
  folders = new PluginFolders();
});
afterEach(() => folders.remove());

it('every JSON block is JSON', () => {
  const blocks = examples.filter(({ language }) => language === 'json');
  expect(blocks.length).toBeGreaterThan(3);
  for (const { text, place } of blocks) expect(() => JSON.parse(text), place).not.toThrow();
});

describe('workflows', () => {
  const nodeTypes = new Map<string, NodeType>();
  activateCoreNodes({
    register: (_point: string, id: string, type: NodeType) => nodeTypes.set(id, type),
  } as unknown as PluginContext);
  const environment = { nodeType: (id: string) => nodeTypes.get(id), capabilities: new Set<string>() };

  it.each(marked('workflow'))('%s is one a host accepts', (_, { text }) => {
    expect(validateDefinition(JSON.parse(text), environment)).toEqual({ errors: [], warnings: [] });
  });
});

describe('plugins', () => {
  it.each(marked('plugin.json'))('%s is a valid manifest', (_, { text }) => {
    const manifest = JSON.parse(text);
    for (const { module } of manifest.contributes?.commands ?? []) folders.file(`plugins/x/${module}`, '');
    if (manifest.entry !== undefined) folders.file(`plugins/x/${manifest.entry}`, '');
    folders.file('plugins/x/plugin.json', manifest);
    expect(folders.plan({}, { kernelVersion: WOPR_VERSION }).plugins).toMatchObject([
      { state: 'ready', problems: [] },
    ]);
  });

  it.each(marked('register'))('%s registers what it says, and can be stopped', async (_, { text }) => {
    const registered = [...text.matchAll(/context\.register\('(\w+)', '([^']+)'/g)];
    const contributes = Object.fromEntries(registered.map(([, point, id]) => [point, [id]]));
    expect(registered.length).toBeGreaterThan(0);
    folders.plugin('example', { kernel: '*', contributes }, text);
    const host = folders.host({ services: {} satisfies Partial<Services> });
    await host.load();
    await host.ready();
    expect(host.effects()).toHaveLength(registered.length);
    await host.stopAll();
    expect(host.effects()).toEqual([]);
  });

  it('cover every extension point', () => {
    const covered = marked('register').map(([, { text }]) => /register\('(\w+)'/.exec(text)?.[1]);
    expect(covered.sort()).toEqual([...EXTENSION_POINTS].sort());
  });
});

describe('the walk-through of CONTRIBUTING.md', () => {
  const step = (name: string) => examples.find(({ mark }) => mark === `walk-through: ${name}`)?.text ?? '';

  it('leads to a plugin that works', async () => {
    folders.file('shout/plugin.json', step('plugin.json'));
    folders.file('shout/index.js', step('index.js'));
    folders.file('package.json', { type: 'module' });
    folders.file('wopr.config.json', step('wopr.config.json'));
    const plan = folders.plan({}, { kernelVersion: WOPR_VERSION });
    expect(plan.problems).toEqual([]);
    const host = folders.host({ plan });
    await host.load();
    const environment = {
      nodeType: (id: string) => host.extensions.get('nodeTypes', id),
      capabilities: new Set<string>(),
    };
    expect(validateDefinition(JSON.parse(step('shout.json')), environment)).toEqual({
      errors: [],
      warnings: [],
    });
    const invocation = { config: {}, inputs: { text: 'anyone' } } as unknown as Invocation;
    const context = { signal: new AbortController().signal, log: () => undefined };
    expect(environment.nodeType('community.example.shout')?.execute(invocation, context)).toEqual({
      kind: 'completed',
      outputs: { output: 'ANYONE!!' },
    });
    await host.stopAll();
  });
});

describe('configurations', () => {
  it.each(marked('wopr.config.json'))('%s is one a host starts with', (_, { text }) => {
    const config = JSON.parse(text) as { pluginPaths?: string[] };
    // Folders are named as seen from the repository.
    const pluginPaths = (config.pluginPaths ?? []).map((path) => path.replace(/^\.\//, `${ROOT}/`));
    folders.file('wopr.config.json', { ...config, pluginPaths });
    const plan = folders.plan(
      {},
      { builtin: `${ROOT}/plugins`, kernelVersion: WOPR_VERSION, services: KERNEL_SERVICES },
    );
    expect(plan.problems).toEqual([]);
  });
});

const KERNEL_SERVICES = ['runs', 'workflows', 'log', 'claims', 'database', 'host'];
