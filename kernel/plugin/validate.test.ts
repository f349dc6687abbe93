import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PluginFolders } from '../../test/support/plugin-folders.ts';
import { checkPlugins } from './check.ts';

let folders: PluginFolders;
beforeEach(() => {
  folders = new PluginFolders();
});
afterEach(() => folders.remove());

describe('a manifest that is wrong in itself', () => {
  it.each<[string, object, string]>([
    [
      'an unknown key',
      { contribute: {} },
      'contribute is not a known key; the nearest valid one is "contributes".',
    ],
    [
      'an unknown extension point',
      { contributes: { nodeType: ['a.b'] } },
      'contributes.nodeType is not a known key; the nearest valid one is "nodeTypes".',
    ],
    ['a missing key', { description: undefined }, 'description is missing.'],
    ['a wrong type', { required: 'yes' }, 'required must be a boolean.'],
    ['another manifest version', { manifestVersion: 2 }, 'manifestVersion must be 1.'],
    ['a bad name', { name: 'My Plugin' }, 'name must be a small letter, then small letters, digits and "-".'],
    ['a bad version', { version: 'one' }, 'version must be a semantic version such as 1.2.3.'],
    ['a bad kernel range', { kernel: 'newest' }, 'kernel must be a semver range such as ^1.2.0.'],
    [
      'an entry outside the folder',
      { entry: '../other/index.ts' },
      'entry must be the path of a .ts, .js or .mjs file inside the plugin folder.',
    ],
    ['an entry that does not exist', { entry: 'main.ts' }, 'the module main.ts does not exist.'],
    [
      'a route without method',
      { contributes: { routes: ['/v1/x'] } },
      'contributes.routes[0] must be a method and a path without query: "GET /v1/things/{thingId}".',
    ],
    [
      'an id twice',
      { contributes: { nodeTypes: ['a.b', 'a.b'] } },
      'contributes.nodeTypes must not repeat items, but [0] and [1] are the same.',
    ],
    [
      'contributions without entry',
      { entry: undefined, provides: ['db'], contributes: { nodeTypes: ['a.b'] } },
      'entry is missing, but the manifest declares "a.b", "db".',
    ],
    [
      'a service both required and optional',
      { requires: ['log'], optional: ['log'] },
      '"log" is both in requires and in optional; keep one.',
    ],
    [
      'a config that is no JSON Schema',
      { config: { type: 'object', propertys: {} } },
      'config is not a valid JSON Schema: strict mode: unknown keyword: "propertys".',
    ],
  ])('%s', (_, manifest, message) => {
    const path = folders.plugin('alpha', manifest);
    expect(folders.messages()).toEqual([`${path}: ${message}`]);
  });

  it('that is not JSON, without quoting what may be a secret', () => {
    const path = folders.file('plugins/alpha/plugin.json', '{"config": sk_live_1234}');
    expect(folders.messages()).toEqual([`${path} is not valid JSON: Unexpected token 's'.`]);
  });

  it('that is not an object', () => {
    const path = folders.file('plugins/alpha/plugin.json', '[]');
    expect(folders.messages()).toEqual([`${path}: must be an object.`]);
  });
});

describe('a plugin that does not fit', () => {
  it('names both versions when the kernel is out of range', () => {
    const path = folders.plugin('alpha', { kernel: '^2.0.0' });
    const message = `Plugin "alpha" 1.0.0 (${path}) works with wopr ^2.0.0; this is wopr 0.4.0.`;
    expect(folders.plan().problems).toEqual([
      { plugin: 'alpha', step: 'manifest', code: 'plugin_incompatible', message },
    ]);
  });

  it('fits a pre-release of the kernel', () => {
    folders.plugin('alpha', { kernel: '^0.4.0' });
    expect(folders.plan({}, { kernelVersion: '0.4.1-rc.1' }).problems).toEqual([]);
  });

  it('names both paths when a name is used twice, even by a disabled plugin', () => {
    const first = folders.plugin('alpha');
    const second = folders.plugin('beta', { name: 'alpha' });
    const flags = { 'plugins.alpha.enabled': false };
    expect(folders.messages({ flags })).toEqual([`Two plugins are named "alpha": ${first} and ${second}.`]);
  });

  it('names both plugins when they provide one service', () => {
    const first = folders.plugin('alpha', { provides: ['db'] });
    const second = folders.plugin('beta', { provides: ['db'] });
    expect(folders.messages()).toEqual([
      `Plugins "alpha" (${first}) and "beta" (${second}) both provide the service "db".`,
    ]);
  });

  it('may not provide a service of the kernel', () => {
    const path = folders.plugin('alpha', { provides: ['log'] });
    expect(folders.messages()).toEqual([
      `Plugin "alpha" (${path}) provides the service "log", which the kernel provides.`,
    ]);
  });

  it.each<[string, object, object, string]>([
    ['node type', { nodeTypes: ['a.b'] }, { nodeTypes: ['a.b'] }, 'node type "a.b"'],
    ['route', { routes: ['GET /x/{a}'] }, { routes: ['GET /x/{b}'] }, 'route "GET /x/{b}"'],
    ['stream mode', { streamModes: ['updates'] }, { streamModes: ['updates'] }, 'stream mode "updates"'],
    [
      'command',
      { commands: [{ name: 'go', summary: 's', module: 'index.mjs' }] },
      { commands: [{ name: 'go', summary: 's', module: 'index.mjs' }] },
      'command "go"',
    ],
  ])('names both plugins when they contribute one %s', (_, one, other, what) => {
    const first = folders.plugin('alpha', { contributes: one });
    const second = folders.plugin('beta', { contributes: other });
    expect(folders.messages()).toEqual([
      `Plugins "alpha" (${first}) and "beta" (${second}) both contribute the ${what}.`,
    ]);
  });

  it('may share a capability, because values are merged', () => {
    folders.plugin('alpha', { contributes: { capabilities: ['limits'] } });
    folders.plugin('beta', { contributes: { capabilities: ['limits'] } });
    expect(folders.messages()).toEqual([]);
  });
});

describe('requirements', () => {
  it('nobody provides: names the nearest service', () => {
    folders.plugin('alpha', { requires: ['logs'] });
    const message =
      'Plugin "alpha" requires the service "logs", which no plugin provides; the nearest one is "log".';
    expect(folders.plan().problems).toEqual([
      { plugin: 'alpha', step: 'relations', code: 'plugin_requirement_missing', message },
    ]);
  });

  it('a disabled plugin provides: says how to enable it', () => {
    folders.plugin('alpha', { requires: ['db'] });
    folders.plugin('beta', { provides: ['db'], enabledByDefault: false });
    expect(folders.messages()).toEqual([
      'Plugin "alpha" requires the service "db", which plugin "beta" provides, but it is disabled: run "wopr plugin enable beta".',
    ]);
    expect(folders.messages({ flags: { 'plugins.beta.enabled': true } })).toEqual([]);
  });

  it('a broken plugin provides: reports both', () => {
    const path = folders.plugin('alpha', { provides: ['db'], kernel: '^9.0.0' });
    folders.plugin('beta', { requires: ['db'] });
    expect(folders.messages()).toEqual([
      `Plugin "alpha" 1.0.0 (${path}) works with wopr ^9.0.0; this is wopr 0.4.0.`,
      'Plugin "beta" requires the service "db", which plugin "alpha" provides, but it has problems of its own.',
    ]);
  });

  it('in a circle: prints the circle once', () => {
    folders.plugin('alpha', { provides: ['a'], requires: ['c'] });
    folders.plugin('beta', { provides: ['b'], requires: ['a'] });
    folders.plugin('gamma', { provides: ['c'], requires: ['b'] });
    const message =
      'Plugins require each other in a circle: "alpha" requires "c" of "gamma", "gamma" requires "b" of "beta", "beta" requires "a" of "alpha".';
    expect(folders.plan().problems).toEqual([
      { plugin: 'alpha', step: 'relations', code: 'plugin_requirement_cycle', message },
    ]);
  });

  it('of a plugin on itself are a circle too', () => {
    folders.plugin('alpha', { provides: ['a'], requires: ['a'] });
    expect(folders.messages()).toEqual([
      'Plugins require each other in a circle: "alpha" requires "a" of "alpha".',
    ]);
  });

  it('order the plugins, which are otherwise in order of their names', () => {
    folders.plugin('alpha', { requires: ['z'], optional: ['m'] });
    folders.plugin('middle', { provides: ['m'] });
    folders.plugin('beta');
    folders.plugin('zeta', { provides: ['z'] });
    expect(folders.plan().order.map(({ manifest }) => manifest.name)).toEqual([
      'beta',
      'middle',
      'zeta',
      'alpha',
    ]);
  });

  it('that are optional may be circular: the required direction wins', () => {
    folders.plugin('alpha', { provides: ['a'], requires: ['z'] });
    folders.plugin('zeta', { provides: ['z'], optional: ['a'] });
    expect(folders.plan().order.map(({ manifest }) => manifest.name)).toEqual(['zeta', 'alpha']);
  });
});

describe('configuration of plugins', () => {
  const config = {
    type: 'object',
    properties: {
      port: { type: 'integer', minimum: 1, default: 3737 },
      names: { type: 'array', items: { type: 'string' } },
      apiKey: { type: 'string', minLength: 20, secret: true },
    },
  };

  it('gets defaults, and text of the environment and command line becomes what the schema asks for', () => {
    folders.plugin('alpha', { config });
    const values = (options: object) => folders.plan(options).order[0]?.config;
    expect(values({})).toEqual({ port: 3737 });
    expect(values({ env: { OPENWOP_PLUGINS__ALPHA__CONFIG__PORT: '80' } })).toEqual({ port: 80 });
    expect(values({ flags: { 'plugins.alpha.config.names': 'a, b' } })).toEqual({
      port: 3737,
      names: ['a', 'b'],
    });
  });

  it('reports unknown keys with the nearest one and the source', () => {
    folders.plugin('alpha', { config });
    const file = folders.file('wopr.config.json', { plugins: { alpha: { config: { prot: 1 } } } });
    expect(folders.messages()).toEqual([
      `plugins.alpha.config.prot is not a known key; the nearest valid one is "port" (${file}).`,
    ]);
  });

  it('reports any key for a plugin without configuration', () => {
    folders.plugin('alpha');
    expect(folders.messages({ flags: { 'plugins.alpha.config.port': '1' } })).toEqual([
      'plugins.alpha.config.port is not a known key; no key is allowed here (command line).',
    ]);
  });

  it('reports wrong values with the source, and never a secret', () => {
    folders.plugin('alpha', { config });
    const env = {
      OPENWOP_PLUGINS__ALPHA__CONFIG__PORT: 'x',
      OPENWOP_PLUGINS__ALPHA__CONFIG__API_KEY: 'hunter2',
    };
    const { problems } = folders.plan({ env });
    expect(problems.map(({ message }) => message).sort()).toEqual([
      'plugins.alpha.config.apiKey must NOT have fewer than 20 characters (environment variable OPENWOP_PLUGINS__ALPHA__CONFIG__API_KEY).',
      'plugins.alpha.config.port must be an integer (environment variable OPENWOP_PLUGINS__ALPHA__CONFIG__PORT).',
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('reports a value that must be set and is not', () => {
    folders.plugin('alpha', { config: { ...config, required: ['apiKey'] } });
    expect(folders.messages()).toEqual(['plugins.alpha.config.apiKey is missing (not set).']);
    expect(folders.messages({ flags: { 'plugins.alpha.enabled': false } })).toEqual([]);
  });

  it('for a plugin that does not exist names the nearest one', () => {
    folders.plugin('alpha');
    const file = folders.file('wopr.config.json', { plugins: { alfa: { enabled: true } } });
    expect(folders.messages()).toEqual([
      `plugins.alfa belongs to no plugin; the nearest one is "alpha" (${file}).`,
    ]);
  });
});

describe('all problems together', () => {
  it('are reported in one pass', () => {
    folders.plugin('alpha', { kernel: '^9.0.0' });
    folders.plugin('beta', { requires: ['nothing'] });
    folders.plugin('gamma', { contribute: {} });
    expect(
      folders.plan({ flags: { 'plugins.nobody.enabled': true } }).problems.map(({ code }) => code),
    ).toEqual([
      'config_invalid',
      'plugin_incompatible',
      'plugin_requirement_missing',
      'plugin_manifest_invalid',
    ]);
  });

  it('of disabled plugins are none', () => {
    folders.plugin('alpha', { kernel: '^9.0.0', contribute: {} });
    const flags = { 'plugins.alpha.enabled': false };
    expect(folders.plan({ flags })).toMatchObject({ problems: [], plugins: [{ state: 'disabled' }] });
  });

  it('of optional plugins degrade them and the optional ones that require them', () => {
    folders.plugin('alpha', { required: false, kernel: '^9.0.0', provides: ['a'] });
    folders.plugin('beta', { required: false, requires: ['a'] });
    folders.plugin('gamma', { required: false, contribute: {} });
    folders.plugin('zeta');
    const report = checkPlugins({
      resolved: folders.resolve(),
      builtin: folders.builtin,
      kernelVersion: '0.4.0',
      services: [],
    });
    expect(report.ok).toBe(true);
    expect(report.plugins.map(({ name, state, order }) => [name, state, order])).toEqual([
      ['alpha', 'degraded', undefined],
      ['beta', 'degraded', undefined],
      ['gamma', 'degraded', undefined],
      ['zeta', 'ready', 1],
    ]);
  });

  it('of an optional plugin that a required one needs stop the boot', () => {
    folders.plugin('alpha', { required: false, kernel: '^9.0.0', provides: ['a'] });
    folders.plugin('beta', { requires: ['a'] });
    expect(folders.messages()).toEqual([
      'Plugin "beta" requires the service "a", which plugin "alpha" provides, but it has problems of its own.',
    ]);
  });

  it('where one of two must yield, the optional one does', () => {
    folders.plugin('alpha', { required: false, contributes: { nodeTypes: ['a.b'] } });
    folders.plugin('beta', { contributes: { nodeTypes: ['a.b'] } });
    const { problems, plugins } = folders.plan();
    expect(problems).toEqual([]);
    expect(plugins.map(({ state }) => state)).toEqual(['degraded', 'ready']);
  });

  it('leave out plugins the process has no use for', () => {
    folders.plugin('alpha', { contributes: { nodeTypes: ['a.b'] } });
    folders.plugin('beta', { requires: ['nothing'] });
    const select = ({ contributes }: { contributes?: { nodeTypes?: readonly string[] } }) =>
      contributes?.nodeTypes !== undefined;
    expect(folders.plan({}, { select })).toMatchObject({
      problems: [],
      plugins: [{ state: 'ready' }, { state: 'disabled' }],
    });
  });
});

describe('plugins from elsewhere', () => {
  const manifest = { manifestVersion: 1, name: 'far', version: '1.0.0', description: 'd', kernel: '*' };

  it('come from a folder relative to the config file', () => {
    const path = folders.file('extra/far/plugin.json', manifest);
    folders.file('extra/wopr.config.json', { pluginPaths: ['./far', './far/'] });
    const plan = folders.plan({ file: 'extra/wopr.config.json' });
    expect(plan.problems).toEqual([]);
    expect(plan.plugins.map(({ file }) => file.path)).toEqual([path]);
  });

  it('come from an npm package: at its root or where package.json points', () => {
    folders.file('node_modules/far/package.json', { name: 'far' });
    const root = folders.file('node_modules/far/plugin.json', manifest);
    folders.file('node_modules/@org/near/package.json', {
      exports: './x.js',
      wopr: { plugin: 'dist/plugin.json' },
    });
    const pointed = folders.file('node_modules/@org/near/dist/plugin.json', { ...manifest, name: 'near' });
    folders.file('wopr.config.json', { pluginPaths: ['far', '@org/near'] });
    expect(folders.plan().plugins.map(({ file }) => file.path)).toEqual([root, pointed]);
  });

  it('that are missing are named with what to do', () => {
    folders.file('node_modules/plain/package.json', {});
    folders.file('here/readme', '');
    folders.file('wopr.config.json', { pluginPaths: ['./nowhere', 'absent', 'here', 'plain'] });
    const { dir } = folders;
    expect(folders.messages()).toEqual([
      `pluginPaths names the npm package "absent", which is not installed for ${dir}. Install it with "npm install absent".`,
      `pluginPaths names the npm package "here", which is not installed for ${dir}. For the folder, write "./here".`,
      `The npm package "plain" is no wopr plugin: ${dir}/node_modules/plain/plugin.json does not exist. Its package.json may point to it with "wopr": { "plugin": "<path>" }.`,
      `${dir}/nowhere/plugin.json does not exist.`,
    ]);
  });

  it('cannot be TypeScript in node_modules, unless that is a link to elsewhere', () => {
    folders.file('node_modules/far/package.json', {});
    const path = folders.file('node_modules/far/plugin.json', { ...manifest, entry: 'index.ts' });
    folders.file('node_modules/far/index.ts', '');
    expect(folders.messages({ flags: { pluginPaths: 'far' } })).toEqual([
      `${path}: the module index.ts is TypeScript inside node_modules, where Node runs JavaScript only; publish it as .js.`,
    ]);

    folders.file('source/package.json', {});
    folders.file('source/plugin.json', { ...manifest, entry: 'index.ts' });
    folders.file('source/index.ts', '');
    mkdirSync(join(folders.dir, 'node_modules/@org'));
    symlinkSync(join(folders.dir, 'source'), join(folders.dir, 'node_modules/@org/linked'));
    expect(folders.messages({ flags: { pluginPaths: '@org/linked' } })).toEqual([]);
  });
});
