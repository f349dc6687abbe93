/** What each extension point accepts: the JSON Schema of an id in plugin.json, and how a contribution is told apart. */
import type { ExtensionPoint, ExtensionPoints } from '../types.ts';

export interface PointRule<P extends ExtensionPoint> {
  /** One contribution, in messages: `route "GET /v1/runs"`. */
  readonly noun: string;
  /** Pattern of ids in `contributes`, and what it means in words (continues "must be"). */
  readonly pattern: string;
  readonly description: string;
  /** Id a contribution carries itself; must equal the one it is registered under. */
  readonly idOf?: (contribution: ExtensionPoints[P]) => string;
  /** Ids with the same key collide. Default: the id itself. */
  readonly key?: (id: string) => string;
  /** Several plugins may contribute under one id; their values are merged. */
  readonly shared?: true;
}

const name = {
  pattern: '^[a-z][a-zA-Z0-9._-]*$',
  description: 'a name: a small letter, then letters, digits, ".", "_" and "-"',
  idOf: (contribution: { readonly name: string }) => contribution.name,
};

export const POINT_RULES: { readonly [P in ExtensionPoint]: PointRule<P> } = {
  capabilities: {
    noun: 'capability',
    pattern: '^[a-zA-Z][a-zA-Z0-9_-]*$',
    description: 'a root key of the discovery document: a letter, then letters, digits, "_" and "-"',
    shared: true,
  },
  nodeTypes: { ...name, noun: 'node type', idOf: (nodeType) => nodeType.typeId },
  routes: {
    noun: 'route',
    pattern: '^(GET|POST|PUT|PATCH|DELETE) /[^\\s?#]*$',
    description: 'a method and a path without query: "GET /v1/things/{thingId}"',
    idOf: (route) => `${route.method} ${route.path}`,
    // A router cannot tell parameters apart by their names.
    key: (id) => id.replace(/\{[^}]*\}/g, '{}'),
  },
  middleware: { ...name, noun: 'middleware' },
  auth: { ...name, noun: 'authenticator' },
  streamModes: { ...name, noun: 'stream mode' },
  dispatchers: { noun: 'dispatcher', pattern: name.pattern, description: name.description },
  healthChecks: { ...name, noun: 'health check' },
  metrics: {
    ...name,
    noun: 'metric',
    pattern: '^[a-z][a-z0-9_]*$',
    description: 'a metric name: a small letter, then small letters, digits and "_"',
  },
  eventTaps: { ...name, noun: 'event tap' },
};

export const EXTENSION_POINTS = Object.keys(POINT_RULES) as ExtensionPoint[];
