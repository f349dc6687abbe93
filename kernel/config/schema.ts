/** The configuration: every key with its meaning, unit and default. Plugins describe their own sections in plugin.json. */
import { type Static, Type } from 'typebox';
import { closed, mapOf, oneOf } from '../../schemas/build.ts';
import { AnyObject, type JsonObject, type JsonValue } from '../../schemas/json.ts';
import type { PluginManifest } from '../plugin/types.ts';
import { isObject } from './settings.ts';

const whole = (minimum: number, initial: number, description: string) =>
  Type.Integer({ minimum, default: initial, description });

const PluginSection = closed({
  enabled: Type.Optional(Type.Boolean({ description: "Overrides the plugin's own default." })),
  config: Type.Optional(AnyObject),
});

export const ConfigSchema = closed(
  {
    $schema: Type.Optional(Type.String({ description: 'For editors; ignored.' })),
    dataDir: Type.String({
      minLength: 1,
      default: '.wopr',
      description: 'Folder of everything the host stores.',
    }),
    logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
    store: closed(
      {
        path: Type.Optional(
          Type.String({ minLength: 1, description: 'SQLite file. Default: <dataDir>/wopr.sqlite.' }),
        ),
        synchronous: oneOf(['full', 'normal'], {
          default: 'full',
          description: '"full" survives power loss; "normal" survives a crash of the process only.',
        }),
        retentionDays: Type.Number({
          minimum: 0,
          default: 30,
          description: 'Days a finished run is kept; 0 = for ever.',
        }),
      },
      { default: {} },
    ),
    claims: closed(
      {
        ttlMs: whole(100, 10_000, "Silence after which another host may take over this one's runs."),
        heartbeatIntervalMs: Type.Optional(
          Type.Integer({
            minimum: 10,
            description: 'Interval of claim renewal, less than half of ttlMs. Default: a quarter of it.',
          }),
        ),
      },
      { default: {} },
    ),
    engine: closed(
      {
        maxLiveRuns: whole(1, 10_000, 'Runs executing at once; beyond it new ones are refused with 503.'),
        maxNodeExecutions: whole(
          1,
          100,
          'Node executions per run; the ceiling of the run option recursionLimit.',
        ),
        inline: Type.Boolean({ default: true, description: "Run pure node types inside the engine's turn." }),
      },
      { default: {} },
    ),
    dispatch: closed(
      {
        dispatcher: Type.String({
          minLength: 1,
          default: 'local',
          description: '"local", or one a plugin contributes.',
        }),
        concurrency: whole(1, 64, 'Nodes this process executes at once.'),
        queueLimit: whole(0, 10_000, 'Invocations waiting for a free place before new ones are refused.'),
      },
      { default: {} },
    ),
    development: Type.Boolean({
      default: false,
      description: 'Check every event against its schema before it is stored.',
    }),
    shutdownGraceMs: whole(0, 10_000, 'Time that running work gets to finish at shutdown.'),
    pluginPaths: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'More plugins: folders (./my-plugin) or names of installed npm packages.',
    }),
    plugins: mapOf(PluginSection, { default: {}, description: 'Sections of single plugins, by name.' }),
  },
  { title: 'WoprConfig', description: 'Configuration of a wopr host (wopr.config.json).' },
);

type Written = Static<typeof ConfigSchema>;
/** The resolved configuration; paths are absolute. Plugin sections are as written, checked when the plugins are planned. */
export type Config = Omit<Written, '$schema' | 'store' | 'claims'> & {
  store: Required<Written['store']>;
  claims: Required<Written['claims']>;
};

/** JSON Schema of wopr.config.json for editors: the kernel's keys plus the section of every given plugin. */
export function configJsonSchema(manifests: Iterable<PluginManifest>): JsonObject {
  const schema = asWritten(ConfigSchema) as JsonObject & { properties: Record<string, JsonObject> };
  const section = asWritten(PluginSection) as JsonObject & { properties: JsonObject };
  const sections: JsonObject = {};
  for (const { name, description, config } of manifests) {
    const properties: JsonObject = { ...section.properties, config: closedConfig(config) };
    sections[name] = { ...section, description, properties };
  }
  schema.properties.plugins = { ...schema.properties.plugins, properties: sections };
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema };
}

/** Every key has a default, so none is required of a person. */
const asWritten = (schema: object): JsonObject =>
  JSON.parse(JSON.stringify(schema, (key, value) => (key === 'required' ? undefined : value)));

/** A plugin's config schema (none = no keys) with unknown keys refused, unless the plugin itself allows them. */
export function closedConfig(schema: JsonObject = {}): JsonObject {
  return { type: 'object', additionalProperties: false, ...schema };
}

/**
 * The configuration as it may be shown: values marked `secret` in their plugin's schema are replaced, and so is everything no schema
 * describes.
 */
export function redactConfig(config: Config, manifests: Iterable<PluginManifest>): Config {
  const schemas = new Map([...manifests].map((manifest) => [manifest.name, manifest.config]));
  const plugins = Object.entries(config.plugins).map(([name, section]) => {
    if (section.config === undefined) return [name, section];
    return [name, { ...section, config: redact(section.config, schemas.get(name)) }];
  });
  return { ...config, plugins: Object.fromEntries(plugins) };
}

function redact(value: JsonValue, schema: JsonValue | undefined): JsonValue {
  if (!isObject(schema) || schema.secret === true) return '[redacted]';
  if (Array.isArray(value)) return value.map((item) => redact(item, schema.items));
  if (!isObject(value)) return value;
  const properties = isObject(schema.properties) ? schema.properties : {};
  const shown = Object.entries(value).map(([key, item]) => [
    key,
    redact(item, Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties),
  ]);
  return Object.fromEntries(shown);
}
