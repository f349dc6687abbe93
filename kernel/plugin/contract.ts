/** What every extension point guarantees to plugins, as one test suite. Plugins that add a point run it too. */
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { schemaCheck } from '../config/schema-check.ts';
import { Extensions } from './extensions.ts';
import { PLUGIN_MANIFEST_SCHEMA } from './manifest.ts';
import { POINT_RULES } from './points/rules.ts';
import { PluginScope } from './scope.ts';
import type { ExtensionPoint, ExtensionPoints, PluginManifest } from './types.ts';

/** `ids` are two valid ids, `badId` one that the manifest schema must refuse; `make` builds a valid contribution for an id. */
export function extensionPointContract<P extends ExtensionPoint>(
  point: P,
  ids: readonly [string, string],
  badId: string,
  make: (id: string) => ExtensionPoints[P],
): void {
  const [id, undeclared] = ids;
  const { noun, shared, idOf } = POINT_RULES[point];

  const manifest = (name: string, ids: string[]): PluginManifest => ({
    manifestVersion: 1,
    name,
    version: '1.0.0',
    description: 'A test plugin.',
    kernel: '*',
    entry: 'index.ts',
    contributes: { [point]: ids },
  });
  const setup = () => {
    const extensions = new Extensions(pino({ enabled: false }));
    const shared = { extensions, services: new Map(), logger: pino({ enabled: false }) };
    const scope = (name: string) => {
      const own = manifest(name, [id]);
      const path = `/plugins/${name}/plugin.json`;
      const file = {
        path,
        folder: `/plugins/${name}`,
        name,
        version: '1.0.0',
        required: true,
        manifest: own,
        problems: [],
      };
      return new PluginScope({ file, manifest: own, config: {}, problems: [] }, shared);
    };
    return { extensions, scope, plugin: scope('alpha') };
  };

  describe(`extension point ${point}`, () => {
    it('describes its ids in the manifest schema', () => {
      const check = schemaCheck(PLUGIN_MANIFEST_SCHEMA);
      expect(check(manifest('alpha', [...ids]))).toEqual([]);
      expect(check(manifest('alpha', [badId]))).toMatchObject([{ path: ['contributes', point, '0'] }]);
    });

    it('shows a contribution until it is disposed, and tells listeners of both', async () => {
      const { extensions, plugin } = setup();
      const listener = vi.fn();
      plugin.context.onChange(point, listener);
      const value = make(id);
      const dispose = plugin.context.register(point, id, value);
      expect(plugin.context.contributions(point)).toEqual([{ id, plugin: 'alpha', value }]);
      expect(extensions.get(point, id)).toBe(value);
      expect(plugin.effects()).toContain(`${noun} "${id}"`);
      expect(listener).toHaveBeenCalledTimes(1);

      await dispose();
      expect(plugin.context.contributions(point)).toEqual([]);
      expect(extensions.get(point, id)).toBeUndefined();
      expect(plugin.effects()).not.toContain(`${noun} "${id}"`);
      expect(listener).toHaveBeenCalledTimes(2);

      await dispose();
      expect(listener).toHaveBeenCalledTimes(2);
    });

    it('removes a contribution when its plugin stops', async () => {
      const { extensions, plugin } = setup();
      plugin.context.register(point, id, make(id));
      await plugin.dispose(1_000);
      expect(extensions.list(point)).toEqual([]);
      expect(plugin.effects()).toEqual([]);
    });

    it('refuses what the manifest does not declare', () => {
      const { extensions, plugin } = setup();
      expect(() => plugin.context.register(point, undeclared, make(undeclared))).toThrow(
        `Plugin "alpha" (/plugins/alpha/plugin.json) registers the ${noun} "${undeclared}", which its plugin.json does not declare in contributes.${point}.`,
      );
      expect(extensions.list(point)).toEqual([]);
    });

    it('refuses the same id twice', () => {
      const { extensions, scope, plugin } = setup();
      plugin.context.register(point, id, make(id));
      const again = () => plugin.context.register(point, id, make(id));
      expect(again).toThrow(
        `Plugin "alpha" registers the ${noun} "${id}", which plugin "alpha" has registered.`,
      );
      const other = () => scope('beta').context.register(point, id, make(id));
      if (shared) other();
      else
        expect(other).toThrow(
          `Plugin "beta" registers the ${noun} "${id}", which plugin "alpha" has registered.`,
        );
      expect(extensions.list(point)).toHaveLength(shared ? 2 : 1);
    });

    if (idOf === undefined) return;
    it('refuses a contribution that calls itself otherwise', () => {
      const { plugin } = setup();
      expect(() => plugin.context.register(point, id, make(undeclared))).toThrow(
        `registers the ${noun} "${id}", but what it registers calls itself "${undeclared}".`,
      );
    });
  });
}
