/** What the protocol fixes about the fixture workflows: the facts a client relies on, not their texts. */

export interface FixtureFacts {
  /** Node id and type, in definition order. */
  readonly nodes: readonly (readonly [id: string, typeId: string])[];
  /** Source and target node of every edge. */
  readonly edges: readonly (readonly [source: string, target: string])[];
  /** Variable name, type, and whether it must be given; the default when there is one. */
  readonly variables: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
    readonly defaultValue?: number;
  }[];
}

const single = (id: string, typeId: string, variables: FixtureFacts['variables'] = []): FixtureFacts => ({
  nodes: [[id, typeId]],
  edges: [],
  variables,
});

const delayMs = (defaultValue: number) => [{ name: 'delayMs', type: 'number', required: true, defaultValue }];

/** The fixtures whose node types every first release of a host can have. */
export const FIXTURES = {
  'conformance-noop': single('noop', 'core.noop'),
  'conformance-identity': single('echo', 'core.identity', [
    { name: 'payload', type: 'object', required: true },
  ]),
  'conformance-delay': single('wait', 'core.delay', delayMs(1000)),
  'conformance-cancellable': single('wait', 'core.delay', delayMs(30_000)),
  'conformance-failure': single('fail', 'core.fail'),
  'conformance-multi-node': {
    nodes: ['a', 'b', 'c'].map((id) => [id, 'core.noop'] as const),
    edges: [
      ['a', 'b'],
      ['b', 'c'],
    ],
    variables: [],
  },
  'conformance-idempotent': single('noop', 'core.noop', [{ name: 'nonce', type: 'string', required: true }]),
  'conformance-cap-breach': {
    nodes: ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].map((id) => [id, 'core.noop'] as const),
    edges: [
      ['n1', 'n2'],
      ['n2', 'n3'],
      ['n3', 'n4'],
      ['n4', 'n5'],
      ['n5', 'n6'],
    ],
    variables: [],
  },
  'conformance-capability-missing': single('n1', 'conformance.requiresMissing'),
  'conformance-version-fold': single('noop', 'core.noop'),
  'conformance-configurable-schema': single('noop', 'core.noop'),
} satisfies Record<string, FixtureFacts>;

export type FixtureId = keyof typeof FIXTURES;

export const isKnownFixture = (id: string): id is FixtureId => Object.hasOwn(FIXTURES, id);

/** The facts as they appear in a definition, for comparison. Throws nothing: what is missing is empty. */
export function factsOf(definition: Record<string, unknown>): FixtureFacts {
  const list = (key: string) =>
    Array.isArray(definition[key]) ? (definition[key] as Record<string, unknown>[]) : [];
  return {
    nodes: list('nodes').map(({ id, typeId }) => [String(id), String(typeId)]),
    edges: list('edges').map(({ sourceNodeId, targetNodeId }) => [
      String(sourceNodeId),
      String(targetNodeId),
    ]),
    variables: list('variables').map(({ name, type, required, defaultValue }) => ({
      name: String(name),
      type: String(type),
      required: required === true,
      ...(typeof defaultValue === 'number' ? { defaultValue } : {}),
    })),
  };
}
