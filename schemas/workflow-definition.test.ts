import { describe, expect, test } from 'vitest';
import { problemsOf, validatorFor } from './validators.ts';
import type { WorkflowDefinition } from './workflow-definition.ts';

const validate = validatorFor('workflow-definition', { allErrors: true });

function definition(): WorkflowDefinition {
  return {
    id: 'review',
    name: 'Review',
    version: '1.0',
    nodes: [
      { id: 'start', typeId: 'core.start', name: 'Start', position: { x: 0, y: 0 }, config: {}, inputs: {} },
      {
        id: 'ask',
        typeId: 'core.approvalGate',
        name: 'Ask',
        position: { x: 1, y: 0 },
        config: { actions: ['accept'] },
        inputs: {
          text: { type: 'static', value: null },
          draft: { type: 'connection', nodeId: 'start', outputKey: 'output', optional: true },
          owner: { type: 'variable', variableName: 'owner' },
          due: { type: 'expression', expression: 'now' },
        },
      },
    ],
    edges: [
      {
        id: 'e1',
        sourceNodeId: 'start',
        targetNodeId: 'ask',
        condition: { type: 'equals', left: 'status', right: 1 },
        triggerRule: 'any_success',
      },
    ],
    triggers: [{ id: 't', type: 'manual' }],
    variables: [{ name: 'owner', type: 'string', required: true, defaultValue: null }],
    channels: { votes: { reducer: 'votes', access: { readers: ['core.*'], writers: ['*'] } } },
    metadata: { tags: ['a'], vendorNote: 1 } as WorkflowDefinition['metadata'],
    settings: { timeout: 0 },
  };
}

/** A definition changed after the fact, as an author's mistake would be. */
function problemsAfter(change: (draft: Record<string, never> & WorkflowDefinition) => void) {
  const draft = definition();
  change(draft as Record<string, never> & WorkflowDefinition);
  return problemsOf(validate, draft);
}

const node = (draft: WorkflowDefinition, index: number) => draft.nodes[index] as Record<string, unknown>;

test('accepts a definition that uses every part', () => {
  expect(problemsOf(validate, definition())).toBeNull();
});

describe('problems name the node', () => {
  test('a misspelled property', () => {
    const problems = problemsAfter((draft) => {
      node(draft, 1).typeID = 'core.noop';
    });
    expect(problems).toEqual([
      {
        path: '/nodes/1/typeID',
        nodeId: 'ask',
        message: 'Unknown property "typeID". Did you mean "typeId"?',
      },
    ]);
  });

  test('a missing property', () => {
    const problems = problemsAfter((draft) => {
      delete node(draft, 0).config;
    });
    expect(problems).toEqual([
      { path: '/nodes/0/config', nodeId: 'start', message: 'Missing required property "config".' },
    ]);
  });

  test('an input of an unknown kind', () => {
    const problems = problemsAfter((draft) => {
      node(draft, 1).inputs = { text: { type: 'literal', value: 1 } };
    });
    expect(problems).toEqual([
      {
        path: '/nodes/1/inputs/text/type',
        nodeId: 'ask',
        message: 'Must be one of "static", "expression", "connection", "variable", got "literal".',
      },
    ]);
  });

  test('an input without a kind', () => {
    const problems = problemsAfter((draft) => {
      node(draft, 1).inputs = { text: { value: 1 } };
    });
    expect(problems).toEqual([
      {
        path: '/nodes/1/inputs/text/type',
        nodeId: 'ask',
        message: 'Must be one of "static", "expression", "connection", "variable".',
      },
    ]);
  });

  test('an input with the fields of another kind reports only those of its own', () => {
    const problems = problemsAfter((draft) => {
      node(draft, 1).inputs = { text: { type: 'connection', nodeID: 'start', outputKey: 'output' } };
    });
    expect(problems).toEqual([
      {
        path: '/nodes/1/inputs/text/nodeId',
        nodeId: 'ask',
        message: 'Missing required property "nodeId".',
      },
      {
        path: '/nodes/1/inputs/text/nodeID',
        nodeId: 'ask',
        message: 'Unknown property "nodeID". Did you mean "nodeId"?',
      },
    ]);
  });

  test('a type id of the wrong form', () => {
    const problems = problemsAfter((draft) => {
      node(draft, 0).typeId = 'Core/start';
    });
    expect(problems).toEqual([
      {
        path: '/nodes/0/typeId',
        nodeId: 'start',
        message:
          'Does not have the required form: Node type, for example core.identity or vendor.<org>.<name>.',
      },
    ]);
  });
});

describe('channel access', () => {
  const withAccess = (access: unknown) =>
    problemsAfter((draft) => {
      draft.channels = { votes: { reducer: 'votes', access } } as never;
    });

  test('a word that is no mode gets the choices', () => {
    expect(withAccess('secret')).toEqual([
      {
        path: '/channels/votes/access',
        message: 'Must be "public", "private", or lists of readers and writers.',
      },
    ]);
  });

  test('an object is judged as an object', () => {
    expect(withAccess({ reader: ['a'] })).toEqual([
      {
        path: '/channels/votes/access/reader',
        message: 'Unknown property "reader". Did you mean "readers"?',
      },
    ]);
    expect(withAccess({ readers: ['a', 'a'] })).toEqual([
      {
        path: '/channels/votes/access/readers',
        message: 'Items 0 and 1 are equal, but all must differ.',
      },
    ]);
  });
});

test.each([
  ['id', 'Review', 'Must match ^[a-z][a-z0-9_-]*$.'],
  ['nodes', [], 'Must have at least 1 item.'],
  [
    'status',
    'archive',
    'Must be one of "active", "inactive", "draft", "archived", got "archive". Did you mean "archived"?',
  ],
  ['edges', null, 'Must be an array, got null.'],
  ['createdAt', 'yesterday', 'Must be a valid date-time.'],
])('top level: %s = %j', (key, value, message) => {
  expect(problemsOf(validate, { ...definition(), [key]: value })).toEqual([{ path: `/${key}`, message }]);
});

test('pack pins are no part of a definition', () => {
  expect(problemsOf(validate, { ...definition(), packs: {} })?.[0]?.path).toBe('/packs');
});

test('a host extension in open parts passes', () => {
  const problems = problemsAfter((draft) => {
    draft.settings = { retention: 'short' } as WorkflowDefinition['settings'];
  });
  expect(problems).toBeNull();
});
