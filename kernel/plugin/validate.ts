/** Checks everything about plugins that can be known before any of their code runs. The same pass serves the boot and `wopr check`. */
import { existsSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import semver from 'semver';
import type { JsonObject } from '../../schemas/json.ts';
import { closest } from '../../schemas/nearest.ts';
import { closedConfig } from '../config/schema.ts';
import { keyText, schemaCheck } from '../config/schema-check.ts';
import { convert, type Sources, schemaAt, sourceOf } from '../config/settings.ts';
import type { ResolvedConfig } from '../config.ts';
import { discoverPlugins } from './discover.ts';
import type { ManifestFile } from './manifest.ts';
import { activationOrder } from './order.ts';
import type { PluginProblem } from './problems.ts';
import { relate } from './relations.ts';
import type { PluginManifest } from './types.ts';

export interface PlanOptions {
  readonly resolved: Pick<ResolvedConfig, 'config' | 'sources' | 'baseDir'>;
  /** Folder whose subfolders are the built-in plugins. */
  readonly builtin?: string;
  readonly kernelVersion: string;
  /** Names of the services the kernel provides itself. */
  readonly services: readonly string[];
  /** Leaves out plugins this process has no use for (a worker needs no HTTP); they count as disabled. Default: all. */
  readonly select?: (manifest: PluginManifest) => boolean;
}

/** An enabled plugin whose manifest is valid. */
export interface Candidate {
  readonly file: ManifestFile;
  readonly manifest: PluginManifest;
  readonly config: JsonObject;
  /** Empty = ready to activate. */
  readonly problems: PluginProblem[];
}

export interface PlannedPlugin {
  readonly file: ManifestFile;
  /** `failed`: a required plugin with problems; `degraded`: an optional one. */
  readonly state: 'ready' | 'degraded' | 'disabled' | 'failed';
  readonly problems: readonly PluginProblem[];
}

export interface PluginPlan {
  /** Plugins to activate, providers first, with their checked config. */
  readonly order: readonly Candidate[];
  /** Every plugin found, in the order it was found. */
  readonly plugins: readonly PlannedPlugin[];
  /** Everything that stops the boot. */
  readonly problems: readonly PluginProblem[];
}

/** Discovers the plugins and checks manifests, versions, config, requirements and collisions. Throws nothing; runs no plugin code. */
export function planPlugins(options: PlanOptions): PluginPlan {
  const { resolved, kernelVersion, services, select = () => true } = options;
  const { config, sources, baseDir } = resolved;
  const found = discoverPlugins({ builtin: options.builtin, paths: config.pluginPaths, baseDir });
  const problems = [
    ...found.problems,
    ...duplicateNames(found.manifests),
    ...unknownSections(found.manifests, config.plugins, sources),
  ];

  const states = new Map<ManifestFile, PlannedPlugin>();
  const candidates: Candidate[] = [];
  const disabled: PluginManifest[] = [];
  for (const file of found.manifests) {
    const { manifest } = file;
    const enabled = config.plugins[file.name]?.enabled ?? manifest?.enabledByDefault ?? true;
    if (!enabled || (manifest !== undefined && !select(manifest))) {
      states.set(file, { file, state: 'disabled', problems: [] });
      if (manifest !== undefined) disabled.push(manifest);
    } else if (manifest === undefined) {
      states.set(file, { file, state: file.required ? 'failed' : 'degraded', problems: file.problems });
    } else {
      candidates.push(
        checkAlone(file, manifest, config.plugins[file.name]?.config ?? {}, sources, kernelVersion),
      );
    }
  }

  relate(candidates, services, disabled);
  for (const { file, problems } of candidates) {
    const broken = file.required ? 'failed' : 'degraded';
    states.set(file, { file, state: problems.length === 0 ? 'ready' : broken, problems });
  }
  const plugins = found.manifests.flatMap((file) => states.get(file) ?? []);
  for (const plugin of plugins) if (plugin.state === 'failed') problems.push(...plugin.problems);
  const ready = candidates.filter((candidate) => candidate.problems.length === 0);
  const byName = new Map(ready.map((candidate) => [candidate.manifest.name, candidate]));
  const order = activationOrder(ready.map(({ manifest }) => manifest)).flatMap(
    ({ name }) => byName.get(name) ?? [],
  );
  return { order, plugins, problems: [...new Set(problems)] };
}

/** Version range, entry and configuration of one plugin. */
function checkAlone(
  file: ManifestFile,
  manifest: PluginManifest,
  written: JsonObject,
  sources: Sources,
  kernelVersion: string,
): Candidate {
  const { name, kernel, entry } = manifest;
  const problems: PluginProblem[] = [];
  const report = (problem: Omit<PluginProblem, 'plugin'>) => problems.push({ plugin: name, ...problem });

  if (!semver.satisfies(kernelVersion, kernel, { includePrerelease: true })) {
    const message = `Plugin "${name}" ${manifest.version} (${file.path}) works with wopr ${kernel}; this is wopr ${kernelVersion}.`;
    report({ step: 'manifest', code: 'plugin_incompatible', message });
  }
  for (const module of [entry, ...(manifest.contributes?.commands ?? []).map((command) => command.module)]) {
    const fault = module === undefined ? undefined : moduleFault(file.folder, module);
    if (fault !== undefined)
      report({ step: 'manifest', code: 'plugin_manifest_invalid', message: `${file.path}: ${fault}` });
  }

  const schema = closedConfig(manifest.config);
  const config = structuredClone(written);
  const path = ['plugins', name, 'config'];
  convertTexts(config, schema, path, sources);
  try {
    for (const problem of schemaCheck(schema)(config)) {
      const key = [...path, ...problem.path];
      const message = `${keyText(key)} ${problem.message} (${sourceOf(sources, key)}).`;
      report({ step: 'config', code: 'config_invalid', message });
    }
  } catch (error) {
    const message = `${file.path}: config is not a valid JSON Schema: ${(error as Error).message}.`;
    report({ step: 'manifest', code: 'plugin_manifest_invalid', message });
  }
  return { file, manifest, config, problems };
}

function moduleFault(folder: string, module: string): string | undefined {
  const path = join(folder, module);
  if (!existsSync(path)) return `the module ${module} does not exist.`;
  if (module.endsWith('.ts') && realpathSync(path).split(sep).includes('node_modules')) {
    return `the module ${module} is TypeScript inside node_modules, where Node runs JavaScript only; publish it as .js.`;
  }
  return undefined;
}

/** Values from the environment and the command line are text; the plugin's schema tells what they should be. */
function convertTexts(
  config: JsonObject,
  schema: JsonObject,
  path: readonly string[],
  sources: Sources,
): void {
  const prefix = `${path.join('.')}.`;
  for (const [name, source] of sources) {
    if (!source.text || !name.startsWith(prefix)) continue;
    const keys = name.slice(prefix.length).split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce<JsonObject>((place, key) => place[key] as JsonObject, config);
    parent[last] = convert(parent[last] as string, schemaAt(schema, [...keys, last]));
  }
}

/** Names are how everything else refers to plugins, so a name used twice is an error even if one of the two is disabled. */
function duplicateNames(files: readonly ManifestFile[]): PluginProblem[] {
  return files.flatMap(({ name, path }, index) => {
    const first = files.findIndex((other) => other.name === name);
    if (first === index) return [];
    const message = `Two plugins are named "${name}": ${files[first]?.path} and ${path}.`;
    return [{ plugin: name, step: 'manifest', code: 'plugin_duplicate', message }];
  });
}

function unknownSections(
  files: readonly ManifestFile[],
  sections: object,
  sources: Sources,
): PluginProblem[] {
  const names = files.map(({ name }) => name);
  return Object.keys(sections).flatMap((name) => {
    if (names.includes(name)) return [];
    const path = ['plugins', name];
    const close = closest(name, names);
    const help = close === undefined ? 'there are no plugins' : `the nearest one is "${close}"`;
    const message = `${path.join('.')} belongs to no plugin; ${help} (${sourceOf(sources, path)}).`;
    return [{ plugin: name, step: 'config', code: 'config_invalid', message }];
  });
}
