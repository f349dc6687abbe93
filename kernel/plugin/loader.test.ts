import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PluginFolders } from '../../test/support/plugin-folders.ts';
import type { WoprError } from '../errors.ts';
import type { PluginHost } from './loader.ts';

let folders: PluginFolders;
beforeEach(() => {
  folders = new PluginFolders();
  calls.length = 0;
});
afterEach(() => folders.remove());

/** What fixture plugins report, through a global since their modules are loaded from disk. */
const calls: string[] = [];
Object.assign(globalThis, { note: (text: string) => void calls.push(text) });

const nodeType = (typeId: string) => `{ typeId: '${typeId}', description: 'd', execute() {} }`;
const states = (host: PluginHost) =>
  Object.fromEntries(host.status().map(({ name, state }) => [name, state]));

/** Loads the modules of the fixtures beforehand, so that only what hangs on purpose can run into a short timeout. */
const preload = (...names: string[]) =>
  Promise.all(names.map((name) => import(pathToFileURL(join(folders.builtin, name, 'index.mjs')).href)));

async function failure(promise: Promise<void>): Promise<WoprError> {
  return promise.then(
    () => expect.fail('should have failed'),
    (error) => error,
  );
}

describe('activation', () => {
  it('gives each plugin its identity, config, logger and the services it names, in order', async () => {
    folders.plugin(
      'alpha',
      { requires: ['greeter'] },
      `note(context.service('greeter').hello(context.plugin.name))`,
    );
    folders.plugin(
      'zeta',
      {
        provides: ['greeter'],
        config: { type: 'object', properties: { word: { type: 'string', default: 'hi' } } },
      },
      `context.logger.info('here'); context.provide('greeter', { hello: (name) => context.config.word + ' ' + name })`,
    );
    const host = folders.host();
    await host.load();
    expect(calls).toEqual(['hi alpha']);
    expect(states(host)).toEqual({ alpha: 'active', zeta: 'active' });
    expect(folders.logged).toMatchObject([{ msg: 'here', plugin: 'zeta' }]);
  });

  it('lists every problem of the plan instead of activating anything', async () => {
    folders.plugin('alpha', {}, `note('alpha')`);
    folders.plugin('beta', { requires: ['x'] });
    const path = folders.plugin('gamma', { kernel: '^9.0.0' });
    const error = await failure(folders.host().load());
    expect(error).toMatchObject({ name: 'WoprError', code: 'plugin_requirement_missing' });
    expect(error.message).toBe(
      `2 problems with plugins:
- Plugin "beta" requires the service "x", which no plugin provides; the nearest one is "log".
- Plugin "gamma" 1.0.0 (${path}) works with wopr ^9.0.0; this is wopr 0.4.0.`,
    );
    expect(error.details?.problems).toMatchObject([{ plugin: 'beta' }, { plugin: 'gamma' }]);
    expect(calls).toEqual([]);
  });

  it.each<[string, object, string, string, (path: string) => string]>([
    [
      'an undeclared contribution',
      {},
      `context.register('nodeTypes', 'a.b', ${nodeType('a.b')})`,
      'plugin_registration_undeclared',
      (path) =>
        `Plugin "alpha" (${path}) registers the node type "a.b", which its plugin.json does not declare in contributes.nodeTypes.`,
    ],
    [
      'an undeclared service',
      {},
      `context.provide('db', {})`,
      'plugin_registration_undeclared',
      (path) =>
        `Plugin "alpha" (${path}) registers the service "db", which its plugin.json does not declare in provides.`,
    ],
    [
      'a contribution that is another one',
      { contributes: { nodeTypes: ['a.b'] } },
      `context.register('nodeTypes', 'a.b', ${nodeType('a.c')})`,
      'plugin_registration_undeclared',
      (path) =>
        `Plugin "alpha" (${path}) registers the node type "a.b", but what it registers calls itself "a.c".`,
    ],
    [
      'a service it does not name',
      {},
      `context.service('log')`,
      'plugin_requirement_missing',
      (path) =>
        `Plugin "alpha" (${path}) uses the service "log", which its plugin.json names neither in requires nor in optional.`,
    ],
    [
      'a declaration it does not keep',
      { contributes: { nodeTypes: ['a.b', 'a.c'], routes: ['GET /x'] }, provides: ['db'] },
      `context.register('nodeTypes', 'a.c', ${nodeType('a.c')})`,
      'plugin_registration_missing',
      (path) =>
        `Plugin "alpha" (${path}) did not register what its plugin.json declares: node type "a.b", route "GET /x", service "db".`,
    ],
    [
      'activate throwing',
      {},
      `throw new Error('no disk')`,
      'plugin_activation_failed',
      (path) => `Plugin "alpha" (${path}) failed in step "activate": no disk.`,
    ],
    [
      'activate hanging',
      {},
      'await new Promise(() => {})',
      'plugin_activation_failed',
      (path) => `Plugin "alpha" (${path}) failed in step "activate": activate did not finish within 300 ms.`,
    ],
    [
      'onReady throwing',
      {},
      `context.onReady(() => { throw new Error('port taken') })`,
      'plugin_activation_failed',
      (path) => `Plugin "alpha" (${path}) failed in step "ready": port taken.`,
    ],
    [
      'onReady hanging',
      {},
      'context.onReady(() => new Promise(() => {}))',
      'plugin_activation_failed',
      (path) =>
        `Plugin "alpha" (${path}) failed in step "ready": its onReady hook did not finish within 300 ms.`,
    ],
  ])('stops the boot on %s, with nothing left behind', async (_, manifest, activate, code, message) => {
    folders.plugin('aaa', {}, `context.effect('timer', () => note('undone'))`);
    const path = folders.plugin('alpha', manifest, `context.effect('socket', () => {});\n${activate}`);
    await preload('aaa', 'alpha');
    const host = folders.host({ activationTimeoutMs: 300 });
    const error = await failure(host.load().then(() => host.ready()));
    expect(error).toMatchObject({ code, message: message(path) });
    expect(host.effects()).toEqual([]);
    expect(calls).toEqual(['undone']);
    expect(states(host)).toEqual({ aaa: 'stopped', alpha: 'stopped' });
  });

  it('keeps the cause', async () => {
    folders.plugin('alpha', {}, `throw new TypeError('no disk')`);
    expect((await failure(folders.host().load())).cause).toMatchObject({
      name: 'TypeError',
      message: 'no disk',
    });
  });

  it('names a module that cannot be loaded or exports no activate', async () => {
    const path = folders.plugin('alpha');
    folders.file('plugins/alpha/index.mjs', 'throw new Error("half installed")');
    expect((await failure(folders.host().load())).message).toBe(
      `Plugin "alpha" (${path}) failed in step "load": half installed.`,
    );
    const other = folders.plugin('alpha', { entry: 'other.mjs' });
    folders.file('plugins/alpha/other.mjs', 'export const start = 1');
    expect((await failure(folders.host().load())).message).toBe(
      `Plugin "alpha" (${other}) failed in step "load": other.mjs does not export a function "activate".`,
    );
  });

  it('degrades an optional plugin that fails, with the optional ones that require it', async () => {
    const path = folders.plugin('alpha', { required: false, provides: ['a'] }, `throw new Error('no disk')`);
    const user = folders.plugin('beta', { required: false, requires: ['a'] }, `note('beta')`);
    folders.plugin('gamma', { optional: ['a'] }, `note('gamma ' + context.service('a'))`);
    const host = folders.host();
    await host.load();
    await host.ready();
    expect(host.status()).toEqual([
      {
        name: 'alpha',
        version: '1.0.0',
        state: 'degraded',
        reason: `activate: Plugin "alpha" (${path}) failed in step "activate": no disk.`,
      },
      {
        name: 'beta',
        version: '1.0.0',
        state: 'degraded',
        reason: `activate: Plugin "beta" (${user}) requires the service "a", whose plugin failed.`,
      },
      { name: 'gamma', version: '1.0.0', state: 'active' },
    ]);
    expect(calls).toEqual(['gamma undefined']);
    expect(folders.logged.filter(({ msg }) => msg === 'optional plugin is degraded')).toHaveLength(2);
  });

  it('stops the boot when a required plugin needs an optional one that fails', async () => {
    folders.plugin('alpha', { required: false, provides: ['a'] }, `throw new Error('no disk')`);
    const path = folders.plugin('beta', { requires: ['a'] });
    const host = folders.host();
    expect((await failure(host.load())).message).toBe(
      `Plugin "beta" (${path}) requires the service "a", whose plugin failed.`,
    );
    expect(states(host)).toEqual({ alpha: 'degraded', beta: 'stopped' });
  });

  it('takes along active dependents when a plugin fails in onReady', async () => {
    folders.plugin(
      'alpha',
      { required: false, provides: ['a'] },
      `context.provide('a', {}); context.onReady(() => { throw new Error('port taken') })`,
    );
    folders.plugin('beta', { required: false, requires: ['a'] }, `context.onReady(() => note('beta'))`);
    const host = folders.host();
    await host.load();
    expect(states(host)).toEqual({ alpha: 'active', beta: 'active' });
    await host.ready();
    expect(states(host)).toEqual({ alpha: 'degraded', beta: 'degraded' });
    expect(calls).toEqual([]);
    expect(host.effects()).toEqual([]);
  });

  it('refuses and undoes what a plugin adds after it was given up', async () => {
    folders.plugin(
      'alpha',
      { required: false, contributes: { nodeTypes: ['a.b'] } },
      `await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
       for (const late of [
         () => context.register('nodeTypes', 'a.b', ${nodeType('a.b')}),
         () => context.effect('socket', () => note('socket undone')),
         () => context.onChange('routes', () => {}),
       ]) try { late() } catch (error) { note(error.message.replace(/.*can no longer/, 'can no longer')) }
       note('end');`,
    );
    await preload('alpha');
    const host = folders.host({ activationTimeoutMs: 50 });
    await host.load();
    await expect.poll(() => calls).toContain('end');
    expect(calls).toEqual([
      'can no longer add: node type "a.b".',
      'socket undone',
      'can no longer add: socket.',
      'can no longer add: listener for routes.',
      'end',
    ]);
    expect(host.effects()).toEqual([]);
    expect(host.extensions.list('nodeTypes')).toEqual([]);
  });
});

describe('stopping', () => {
  it('leaves nothing of a plugin, and undoes newest first even if something throws or hangs', async () => {
    folders.plugin(
      'alpha',
      { provides: ['a'], contributes: { nodeTypes: ['a.b'] } },
      `context.effect('first', () => note('first'));
       context.effect('throws', () => { throw new Error('stuck') });
       context.effect('hangs', () => new Promise(() => {}));
       context.provide('a', {});
       context.register('nodeTypes', 'a.b', ${nodeType('a.b')});
       context.onChange('routes', () => {});
       context.effect('last', () => note('last'));
       context.signal.addEventListener('abort', () => note('aborted'));`,
    );
    const host = folders.host({ disposeTimeoutMs: 50 });
    await host.load();
    expect(host.effects()).toEqual([
      'alpha: first',
      'alpha: throws',
      'alpha: hangs',
      'alpha: service "a"',
      'alpha: node type "a.b"',
      'alpha: listener for routes',
      'alpha: last',
    ]);
    expect(host.extensions.get('nodeTypes', 'a.b')).toMatchObject({ typeId: 'a.b' });

    await host.stop('alpha');
    expect(calls).toEqual(['aborted', 'last', 'first']);
    expect(host.effects()).toEqual([]);
    expect(host.extensions.get('nodeTypes', 'a.b')).toBeUndefined();
    expect(host.service('a' as 'log')).toBeUndefined();
    expect(states(host)).toEqual({ alpha: 'stopped' });
    expect(folders.logged).toMatchObject([
      { plugin: 'alpha', effect: 'hangs', err: { message: 'did not finish within 50 ms' } },
      { plugin: 'alpha', effect: 'throws', err: { message: 'stuck' } },
    ]);
    await host.stop('alpha');
  });

  it('stops dependents first, and only those', async () => {
    for (const [name, provides, requires] of [
      ['alpha', ['a'], []],
      ['beta', ['b'], ['a']],
      ['gamma', [], ['b']],
      ['delta', [], []],
    ] as const) {
      const provide = provides.map((service) => `context.provide('${service}', {});`).join('');
      folders.plugin(name, { provides, requires }, `${provide} context.effect('e', () => note('${name}'))`);
    }
    const host = folders.host();
    await host.load();
    await host.stop('alpha');
    expect(calls).toEqual(['gamma', 'beta', 'alpha']);
    expect(states(host)).toEqual({ alpha: 'stopped', beta: 'stopped', gamma: 'stopped', delta: 'active' });
    await host.stopAll();
    expect(calls.at(-1)).toBe('delta');
    expect(host.effects()).toEqual([]);
  });

  it('runs ready hooks in order and drain hooks in reverse, all within one grace period', async () => {
    const hooks = (name: string) =>
      `context.onReady(() => note('${name} ready')); context.onDrain(() => note('${name} drained'));`;
    folders.plugin('alpha', {}, hooks('alpha'));
    folders.plugin('beta', {}, `${hooks('beta')} context.onDrain(() => new Promise(() => {}));`);
    folders.plugin('gamma', {}, `${hooks('gamma')} context.onDrain(() => { throw new Error('stuck') });`);
    const host = folders.host();
    await host.load();
    await host.ready();
    await host.drain(100);
    expect(calls).toEqual([
      'alpha ready',
      'beta ready',
      'gamma ready',
      'gamma drained',
      'beta drained',
      'alpha drained',
    ]);
    expect(folders.logged).toMatchObject([
      { plugin: 'gamma', err: { message: 'stuck' }, msg: 'draining a plugin failed' },
      { plugin: 'beta', err: { message: 'its onDrain hook did not finish within 100 ms' } },
    ]);
  });
});
