/** Finds plugin manifests: built-in folders, folders and npm packages named in the config. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readJsonFile } from '../config/json-file.ts';
import { isObject } from '../config/settings.ts';
import { isPackageName } from '../config.ts';
import { MANIFEST_FILE, type ManifestFile, readManifest } from './manifest.ts';
import type { PluginProblem } from './problems.ts';

export interface DiscoverOptions {
  /** Folder whose subfolders are the built-in plugins. */
  readonly builtin?: string | undefined;
  /** Absolute folders, or names of npm packages. */
  readonly paths?: readonly string[];
  /** Folder from which packages are resolved. */
  readonly baseDir: string;
}

/** All manifests in a stable order (built-in ones by name, then as configured), and the entries that lead nowhere. */
export function discoverPlugins(options: DiscoverOptions): {
  manifests: ManifestFile[];
  problems: PluginProblem[];
} {
  const { builtin, paths = [], baseDir } = options;
  const folders =
    builtin === undefined
      ? []
      : readdirSync(builtin)
          .sort()
          .map((name) => join(builtin, name));
  const files = folders.map((folder) => join(folder, MANIFEST_FILE)).filter((file) => existsSync(file));
  const problems: PluginProblem[] = [];
  for (const entry of paths) {
    try {
      files.push(isPackageName(entry) ? packageManifest(entry, baseDir) : join(entry, MANIFEST_FILE));
    } catch (error) {
      problems.push({
        plugin: entry,
        step: 'discover',
        code: 'plugin_manifest_invalid',
        message: (error as Error).message,
      });
    }
  }
  return { manifests: [...new Set(files)].map(readManifest), problems };
}

/** plugin.json of an installed package: at its root, or where `"wopr": { "plugin": "dist/plugin.json" }` of package.json points. */
function packageManifest(name: string, baseDir: string): string {
  // Looked up by hand: a package with `exports` need not let its package.json be resolved.
  const places = createRequire(join(baseDir, 'package.json')).resolve.paths(name) ?? [];
  const file = places.map((place) => join(place, name, 'package.json')).find((path) => existsSync(path));
  if (file === undefined) {
    const hint = existsSync(join(baseDir, name))
      ? `For the folder, write "./${name}".`
      : `Install it with "npm install ${name}".`;
    throw new Error(
      `pluginPaths names the npm package "${name}", which is not installed for ${baseDir}. ${hint}`,
    );
  }
  const json = readJsonFile(file);
  const pointer = isObject(json) && isObject(json.wopr) ? json.wopr.plugin : undefined;
  const manifest = join(dirname(file), typeof pointer === 'string' ? pointer : MANIFEST_FILE);
  if (existsSync(manifest)) return manifest;
  throw new Error(
    `The npm package "${name}" is no wopr plugin: ${manifest} does not exist. Its package.json may point to it with "wopr": { "plugin": "<path>" }.`,
  );
}
