/** Resolves the configuration: defaults < wopr.config.json < OPENWOP_* environment < flags. Every error names the key and its source. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { JsonObject, JsonValue } from '../schemas/json.ts';
import { environmentSettings } from './config/environment.ts';
import { readConfigFile } from './config/json-file.ts';
import { type Config, ConfigSchema } from './config/schema.ts';
import { keyText, schemaCheck } from './config/schema-check.ts';
import {
  convert,
  mergeSettings,
  type Setting,
  type Sources,
  schemaAt,
  settingsOf,
  sourceOf,
} from './config/settings.ts';
import { WoprError } from './errors.ts';

export { setPluginEnabled } from './config/edit.ts';
export { type Config, configJsonSchema, redactConfig } from './config/schema.ts';

export const CONFIG_FILE = 'wopr.config.json';

export interface ResolveOptions {
  /** Values by key path, e.g. `{ 'plugins.http.config.port': '8080' }`; text is converted, undefined ones are ignored. */
  readonly flags?: Readonly<Record<string, JsonValue | undefined>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the working directory of the process. */
  readonly cwd?: string;
  /** Config file given explicitly; wins over OPENWOP_CONFIG. Without either, `wopr.config.json` in `cwd` is read if it exists. */
  readonly file?: string;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** Where each value came from; values not listed are defaults. */
  readonly sources: Sources;
  readonly warnings: readonly string[];
  /** Absolute path of the config file, if one was read. */
  readonly file: string | undefined;
  /** Absolute folder that `pluginPaths` are resolved from. */
  readonly baseDir: string;
}

/** Throws `config_invalid` listing every problem, each with key and source; `details.problems` holds them one by one. */
export function resolveConfig(options: ResolveOptions = {}): ResolvedConfig {
  const { flags = {}, env = {} } = options;
  const cwd = resolve(options.cwd ?? process.cwd());
  const file = configFile(options, cwd);
  const baseDir = file === undefined ? cwd : dirname(file);
  const environment = environmentSettings(env);
  const settings: Setting[] = [
    ...(file === undefined ? [] : settingsOf(readConfigFile(file), file)),
    ...environment.settings,
    ...Object.entries(flags).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [{ path: key.split('.'), value, source: 'command line', text: typeof value === 'string' }],
    ),
  ].map(typed);

  const { tree, sources } = mergeSettings(settings);
  const problems = checkConfig(tree).map(({ path, message }) => ({
    key: keyText(path),
    source: sourceOf(sources, path),
    message,
  }));
  const { $schema: _, ...config } = tree as unknown as Config & { $schema?: string };
  if (problems.length === 0) config.claims.heartbeatIntervalMs ??= Math.floor(config.claims.ttlMs / 4);
  if (problems.length === 0 && config.claims.heartbeatIntervalMs * 2 >= config.claims.ttlMs) {
    const key = ['claims', 'heartbeatIntervalMs'];
    const set = sources.has(key.join('.')) ? key : ['claims', 'ttlMs'];
    const message = `must be less than half of claims.ttlMs (${config.claims.ttlMs})`;
    problems.push({ key: keyText(key), source: sourceOf(sources, set), message });
  }
  if (problems.length > 0) {
    const lines = problems.map(({ key, source, message }) => `${key} ${message} (${source}).`);
    throw new WoprError('config_invalid', lines.join('\n'), { details: { problems } });
  }

  // Relative paths written in the file belong to its folder; all others to the working directory.
  const absolute = (key: string, path: string) =>
    resolve(sources.get(key)?.source === file ? baseDir : cwd, path);
  config.dataDir = absolute('dataDir', config.dataDir);
  const { path } = config.store;
  config.store.path = path === undefined ? join(config.dataDir, 'wopr.sqlite') : absolute('store.path', path);
  config.pluginPaths = config.pluginPaths.map((entry) =>
    isPackageName(entry) ? entry : absolute('pluginPaths', entry),
  );
  return { config, sources, warnings: environment.warnings, file, baseDir };
}

/** Whether an entry of `pluginPaths` names an npm package; all others are folders. */
export function isPackageName(entry: string): boolean {
  return !isAbsolute(entry) && /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/.test(entry);
}

const checkConfig = schemaCheck(ConfigSchema);

/** Plugin sections stay text until their plugin's schema is known. */
function typed(setting: Setting): Setting {
  if (!setting.text || typeof setting.value !== 'string') return setting;
  const { path } = setting;
  if (path[0] === 'plugins') {
    return path[2] === 'enabled'
      ? { ...setting, value: convert(setting.value, { type: 'boolean' }) }
      : setting;
  }
  return { ...setting, value: convert(setting.value, schemaAt(ConfigSchema as unknown as JsonObject, path)) };
}

function configFile({ file, env = {} }: ResolveOptions, cwd: string): string | undefined {
  const given = file ?? (env.OPENWOP_CONFIG || undefined);
  if (given !== undefined) return resolve(cwd, given);
  const usual = join(cwd, CONFIG_FILE);
  return existsSync(usual) ? usual : undefined;
}
