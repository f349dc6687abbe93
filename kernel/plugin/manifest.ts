/** plugin.json: its JSON Schema, and reading it from disk. */
import { dirname } from 'node:path';
import semver from 'semver';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { readJsonFile } from '../config/json-file.ts';
import { keyText, schemaCheck } from '../config/schema-check.ts';
import { isObject } from '../config/settings.ts';
import { EXTENSION_POINTS, POINT_RULES } from './points/rules.ts';
import type { PluginProblem } from './problems.ts';
import type { PluginManifest } from './types.ts';

export const MANIFEST_FILE = 'plugin.json';

const list = (items: JsonObject): JsonObject => ({ type: 'array', items, uniqueItems: true });
const words = (description: string): JsonObject => ({
  type: 'string',
  minLength: 1,
  maxLength: 300,
  description,
});
const matching = (pattern: string, description: string): JsonObject => ({
  type: 'string',
  pattern,
  description,
});
const object = (properties: JsonObject, required: string[] = []): JsonObject => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

const serviceName = matching(
  '^[a-z][a-zA-Z0-9-]*$',
  'a service name: a small letter, then letters, digits and "-"',
);
const modulePath = matching(
  '^(?!/)(?!.*\\.\\.).+\\.(ts|js|mjs)$',
  'the path of a .ts, .js or .mjs file inside the plugin folder',
);

const command = object(
  {
    name: matching(
      '^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)*$',
      'one or more words of small letters, digits and "-"',
    ),
    summary: words('One line for --help.'),
    group: words('Heading it is listed under in --help.'),
    module: modulePath,
  },
  ['name', 'summary', 'module'],
);

/** JSON Schema (2020-12) of plugin.json; also for editors. */
export const PLUGIN_MANIFEST_SCHEMA: JsonObject = {
  title: 'WoprPlugin',
  description: 'Manifest of a wopr plugin (plugin.json).',
  ...object(
    {
      $schema: { type: 'string', description: 'For editors; ignored.' },
      manifestVersion: { const: 1 },
      name: matching('^[a-z][a-z0-9-]*$', 'a small letter, then small letters, digits and "-"'),
      version: { type: 'string', description: 'Semantic version of the plugin.' },
      description: words('What the plugin is for, one sentence.'),
      kernel: { type: 'string', description: 'Semver range of the wopr releases it works with.' },
      entry: modulePath,
      required: { type: 'boolean', default: true, description: 'Whether its failure stops the boot.' },
      enabledByDefault: { type: 'boolean', default: true },
      requires: list(serviceName),
      optional: list(serviceName),
      provides: list(serviceName),
      contributes: object({
        ...Object.fromEntries(
          EXTENSION_POINTS.map((point) => [
            point,
            list(matching(POINT_RULES[point].pattern, POINT_RULES[point].description)),
          ]),
        ),
        commands: list(command),
      }),
      config: { type: 'object', description: 'JSON Schema of the section plugins.<name>.config.' },
    },
    ['manifestVersion', 'name', 'version', 'description', 'kernel'],
  ),
};

const checkManifest = schemaCheck(PLUGIN_MANIFEST_SCHEMA);

/** A manifest as found: valid, or with the problems that keep it from being used. */
export interface ManifestFile {
  /** Absolute path of plugin.json. */
  readonly path: string;
  readonly folder: string;
  /** Name, version and `required` are read even from a manifest that is otherwise invalid, as far as they are legible. */
  readonly name: string;
  readonly version: string;
  readonly required: boolean;
  readonly manifest: PluginManifest | undefined;
  readonly problems: readonly PluginProblem[];
}

/** Reads and checks one plugin.json on its own. Never throws: what is wrong is in `problems`. */
export function readManifest(path: string): ManifestFile {
  let json: JsonValue = null;
  const messages: string[] = [];
  try {
    json = readJsonFile(path);
    messages.push(
      ...checkManifest(json).map(
        (problem) => `${path}: ${`${keyText(problem.path)} ${problem.message}`.trim()}.`,
      ),
    );
    if (messages.length === 0)
      messages.push(...checkMeaning(json as unknown as PluginManifest).map((text) => `${path}: ${text}.`));
  } catch (error) {
    messages.push(`${path} ${(error as Error).message}.`);
  }
  const legible = isObject(json) ? json : {};
  const name = typeof legible.name === 'string' ? legible.name : path;
  return {
    path,
    folder: dirname(path),
    name,
    version: typeof legible.version === 'string' ? legible.version : 'unknown',
    required: legible.required !== false,
    manifest: messages.length === 0 ? (json as unknown as PluginManifest) : undefined,
    problems: messages.map((message) => ({
      plugin: name,
      step: 'manifest',
      code: 'plugin_manifest_invalid',
      message,
    })),
  };
}

/** What a schema cannot say. */
function checkMeaning(manifest: PluginManifest): string[] {
  const messages: string[] = [];
  if (semver.valid(manifest.version) === null)
    messages.push('version must be a semantic version such as 1.2.3');
  if (semver.validRange(manifest.kernel) === null)
    messages.push('kernel must be a semver range such as ^1.2.0');
  const { commands: _, ...runtime } = manifest.contributes ?? {};
  const runs = [...Object.values(runtime).flat(), ...(manifest.provides ?? [])];
  if (manifest.entry === undefined && runs.length > 0) {
    messages.push(`entry is missing, but the manifest declares ${runs.map((id) => `"${id}"`).join(', ')}`);
  }
  for (const service of manifest.optional ?? []) {
    if (manifest.requires?.includes(service))
      messages.push(`"${service}" is both in requires and in optional; keep one`);
  }
  return messages;
}
