// Graph semantics of the engine by example (run events §1.3-1.7, §3): what runs, in which order, with which inputs.
import { describe, expect, it } from 'vitest';
import type { Invocation, NodeType, Outcome } from '../../kernel/dispatch/types.ts';
import { activate } from '../../plugins/core-nodes/index.ts';
import type { JsonObject } from '../../schemas/json.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { TriggerRule, WorkflowEdge, WorkflowNode } from '../../schemas/workflow-graph.ts';
import { type SimulateOptions, simulate } from './simulate.ts';

const coreTypes: Record<string, NodeType> = {};
activate({
  register: (_point: string, id: string, type: NodeType) => Object.assign(coreTypes, { [id]: type }),
} as never);
const step: NodeType = {
  typeId: 'test.step',
  description: '',
  execute: () => ({ kind: 'completed', outputs: {} }),
};

type NodeDraft = Partial<Omit<WorkflowNode, 'id'>> & { readonly typeId: string };
type EdgeDraft = readonly [from: string, to: string, extra?: Partial<WorkflowEdge>];

function workflow(
  nodes: Record<string, NodeDraft>,
  edges: readonly EdgeDraft[],
  extra: Partial<WorkflowDefinition> = {},
): WorkflowDefinition {
  return {
    id: 'example',
    name: 'Example',
    version: '1',
    nodes: Object.entries(nodes).map(([id, draft]) => ({
      id,
      name: id,
      position: { x: 0, y: 0 },
      config: {},
      inputs: {},
      ...draft,
    })),
    edges: edges.map(([sourceNodeId, targetNodeId, rest], index) => ({
      id: `e${index}`,
      sourceNodeId,
      targetNodeId,
      ...rest,
    })),
    triggers: [],
    variables: [],
    metadata: {},
    settings: {},
    ...extra,
  };
}

/** Core node types really execute; `test.step` does what `steps` says for the node, else completes with its id. */
function run(
  definition: WorkflowDefinition,
  steps: Record<string, (invocation: Invocation) => Outcome> = {},
  options: SimulateOptions = {},
) {
  const seen: Invocation[] = [];
  const { log, state } = simulate(definition, {
    nodeTypes: { ...coreTypes, 'test.step': step },
    execute: (invocation) => {
      if (!seen.some((other) => other.invocationId === invocation.invocationId)) seen.push(invocation);
      const type = coreTypes[invocation.typeId];
      const outcome = type
        ? (type.execute(invocation, { signal: AbortSignal.timeout(1000), log: () => undefined }) as Outcome)
        : (steps[invocation.nodeId]?.(invocation) ?? done({ output: invocation.nodeId }));
      return { outcome, durationMs: 10 };
    },
    ...options,
  });
  const types = log.map(({ type, nodeId }) => (nodeId === undefined ? type : `${type}(${nodeId})`));
  return {
    log,
    state,
    types,
    seen,
    ran: types.filter((type) => type.startsWith('node.started')).map((type) => type.slice(13, -1)),
  };
}

const done = (outputs: JsonObject): Outcome => ({ kind: 'completed', outputs });
const failed = (retryable = false): Outcome => ({
  kind: 'failed',
  error: { code: 'boom', message: 'it broke' },
  retryable,
});
const S: NodeDraft = { typeId: 'test.step' };

describe('entry rule', () => {
  it('starts at core.start, and nodes no path reaches never run', () => {
    const { ran, state } = run(
      workflow({ lost: S, begin: { typeId: 'core.start' }, a: S }, [
        ['begin', 'a', { triggerRule: 'any_success' }],
        ['lost', 'a', { triggerRule: 'any_success' }],
      ]),
    );
    expect(ran).toEqual(['begin', 'a']);
    expect(state.nodes.lost?.status).toBe('idle');
  });
  it('starts at the node of the manual trigger when there is no core.start', () => {
    const { ran } = run(
      workflow({ a: S, b: S }, [['a', 'b']], { triggers: [{ id: 't', type: 'manual', nodeId: 'b' }] }),
    );
    expect(ran).toEqual(['b']);
  });
  it('starts at every node without incoming edges', () => {
    expect(
      run(
        workflow({ a: S, b: S, c: S }, [
          ['a', 'c'],
          ['b', 'c'],
        ]),
      ).ran,
    ).toEqual(['a', 'b', 'c']);
  });
  it('starts at the first node when every node has incoming edges', () => {
    const definition = workflow(
      { a: S, b: S },
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      { settings: { maxLoopbackIterations: 1 } },
    );
    expect(run(definition).ran).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('trigger rules', () => {
  const outcomes = { ok: done({ output: 1 }), no: done({ output: 2 }), bad: failed() };
  type Kind = keyof typeof outcomes;
  // A source that completes with a true condition (ok), with a false one (no), or fails (bad).
  const cases: [TriggerRule, Kind[], 'runs' | 'skipped'][] = [
    ['all_success', ['ok', 'ok'], 'runs'],
    ['all_success', ['ok', 'no'], 'skipped'],
    ['any_success', ['ok', 'no'], 'runs'],
    ['any_success', ['no', 'no'], 'skipped'],
    ['all_complete', ['ok', 'no'], 'runs'],
    ['all_complete', ['ok', 'bad'], 'runs'],
    ['all_complete', ['bad', 'bad'], 'runs'],
    ['none_failed', ['ok', 'no'], 'runs'],
    ['none_failed', ['no', 'no'], 'runs'],
    ['any_failed', ['ok', 'bad'], 'runs'],
    ['any_failed', ['ok', 'no'], 'skipped'],
  ];
  it.each(cases)('%s over %j: %s', (triggerRule, kinds, expected) => {
    const edges = kinds.map((kind, index): EdgeDraft => {
      const condition =
        kind === 'bad' ? {} : { condition: { type: 'equals' as const, left: 'output', right: 1 } };
      return [`s${index}`, 'join', { triggerRule, ...condition }];
    });
    const nodes = Object.fromEntries(kinds.map((_, index) => [`s${index}`, S]));
    const steps = Object.fromEntries(kinds.map((kind, index) => [`s${index}`, () => outcomes[kind]]));
    const { state, types } = run(workflow({ ...nodes, join: S }, edges), steps);
    expect(state.nodes.join?.status).toBe(expected === 'runs' ? 'completed' : 'skipped');
    expect(state.status).toBe('completed');
    expect(types.filter((type) => type.endsWith('(join)')).length).toBe(expected === 'runs' ? 2 : 1);
  });
  it('any_success starts at the first success and does not start again at the second', () => {
    const { types } = run(
      workflow({ a: S, slow: { typeId: 'core.delay', config: { ms: 500 } }, join: S }, [
        ['a', 'join', { triggerRule: 'any_success' }],
        ['slow', 'join', { triggerRule: 'any_success' }],
      ]),
    );
    expect(types.indexOf('node.started(join)')).toBeLessThan(types.indexOf('node.completed(slow)'));
    expect(types.filter((type) => type === 'node.started(join)')).toHaveLength(1);
  });
  it('a failure that no edge handles fails the run and cancels what is live', () => {
    const { types, state } = run(
      workflow({ bad: S, slow: { typeId: 'core.delay', config: { ms: 500 } }, after: S }, [['bad', 'after']]),
      { bad: () => failed() },
    );
    expect(types).toEqual([
      'run.started',
      'node.started(bad)',
      'node.started(slow)',
      'node.failed(bad)',
      'node.cancelled(slow)',
      'run.failed',
    ]);
    expect(state.error).toEqual({ code: 'boom', message: 'it broke' });
  });
  it('a skip propagates until a join takes it in', () => {
    const never = { type: 'equals', left: 'status', right: 'never' } as const;
    const { state } = run(
      workflow({ a: S, b: S, c: S, d: S }, [
        ['a', 'b', { condition: never }],
        ['b', 'c'],
        ['c', 'd', { triggerRule: 'none_failed' }],
        ['a', 'd', { triggerRule: 'none_failed' }],
      ]),
    );
    expect([state.nodes.b?.status, state.nodes.c?.status, state.nodes.d?.status]).toEqual([
      'skipped',
      'skipped',
      'completed',
    ]);
  });
});

describe('conditions', () => {
  const output: JsonObject = { output: { approved: true, note: 'all good', tags: ['x', 'y'], total: 12 } };
  it.each([
    [{ type: 'equals', left: 'output.approved', right: true }, true],
    [{ type: 'equals', left: 'approved', right: true }, true],
    [{ type: 'equals', left: 'output.missing', right: null }, false],
    [{ type: 'notEquals', left: 'output.total', right: 12 }, false],
    [{ type: 'contains', left: 'output.tags', right: 'y' }, true],
    [{ type: 'contains', left: 'output.note', right: 'good' }, true],
    [{ type: 'regex', left: 'output.note', right: '^all\\s' }, true],
    [{ type: 'regex', left: 'output.total', right: '12' }, false],
    [{ type: 'expression', expression: 'output.total > 10 && status == "completed"' }, true],
    [{ type: 'expression', expression: 'nodes.a.outputs.output.tags.exists(t, t == "z")' }, false],
  ] as const)('%j is %s', (condition, taken) => {
    const { state } = run(workflow({ a: S, b: S }, [['a', 'b', { condition }]]), { a: () => done(output) });
    expect(state.nodes.b?.status).toBe(taken ? 'completed' : 'skipped');
  });
  it('an expression that cannot be evaluated fails the run and names the edge', () => {
    const { state } = run(
      workflow({ a: S, b: S }, [
        ['a', 'b', { condition: { type: 'expression', expression: 'output.no.such == 1' } }],
      ]),
    );
    expect(state.status).toBe('failed');
    expect(state.error).toMatchObject({ code: 'validation_error', details: { edgeId: 'e0' } });
  });
});

describe('inputs', () => {
  it('resolves all four kinds of port values, edges below explicit inputs', () => {
    const definition = workflow(
      {
        a: S,
        b: {
          ...S,
          inputs: {
            fixed: { type: 'static', value: { deep: [1] } },
            computed: {
              type: 'expression',
              expression: 'nodes.a.outputs.output + "!" + string(variables.n + 1)',
            },
            linked: { type: 'connection', nodeId: 'a', outputKey: 'output' },
            named: { type: 'variable', variableName: 'n' },
            absent: { type: 'variable', variableName: 'nothing', optional: true },
          },
        },
      },
      [['a', 'b', { targetInput: 'carried' }]],
      { variables: [{ name: 'n', type: 'number', defaultValue: 4 }] },
    );
    const { seen } = run(definition);
    expect(seen.find(({ nodeId }) => nodeId === 'b')?.inputs).toEqual({
      fixed: { deep: [1] },
      computed: 'a!5',
      linked: 'a',
      named: 4,
      carried: 'a',
    });
  });
  it('a missing source that is not optional fails the node and names the input', () => {
    const { state, types } = run(
      workflow({ a: { ...S, inputs: { x: { type: 'variable', variableName: 'nope' } } } }, []),
    );
    expect(types).toEqual(['run.started', 'node.started(a)', 'node.failed(a)', 'run.failed']);
    expect(state.error).toMatchObject({ code: 'validation_error', details: { input: 'x' } });
  });
  it('a connection without an edge orders the nodes', () => {
    const { ran } = run(
      workflow(
        {
          late: { ...S, inputs: { x: { type: 'connection', nodeId: 'early', outputKey: 'output' } } },
          early: S,
        },
        [],
      ),
    );
    expect(ran).toEqual(['early', 'late']);
  });
  it('variables written by a node are seen by the nodes after it', () => {
    const definition = workflow(
      {
        set: { typeId: 'core.setVariable', config: { name: 'x', value: 7 } },
        get: { typeId: 'core.getVariable', config: { name: 'x' } },
        end: { typeId: 'core.end' },
      },
      [
        ['set', 'get'],
        ['get', 'end'],
      ],
    );
    const { state, types } = run(definition);
    expect(types).toContain('variable.changed(set)');
    expect(state.outputs).toEqual({ output: 7 });
  });
});

describe('routing and loops', () => {
  it('core.conditional takes one port only', () => {
    const definition = workflow(
      {
        check: {
          typeId: 'core.conditional',
          config: { condition: { type: 'equals', left: 'variables.n', right: 1 } },
        },
        yes: S,
        no: S,
      },
      [
        ['check', 'yes', { sourceOutput: 'true' }],
        ['check', 'no', { sourceOutput: 'false' }],
      ],
      { variables: [{ name: 'n', type: 'number', defaultValue: 1 }] },
    );
    const { state } = run(definition);
    expect([state.nodes.yes?.status, state.nodes.no?.status]).toEqual(['completed', 'skipped']);
  });
  it('core.loop runs its body once per item, then leaves by done', () => {
    const definition = workflow(
      {
        each: { typeId: 'core.loop', config: { items: ['a', 'b', 'c'] } },
        body: S,
        end: { typeId: 'core.end' },
      },
      [
        ['each', 'body', { sourceOutput: 'body' }],
        ['body', 'each'],
        ['each', 'end', { sourceOutput: 'done' }],
      ],
    );
    const { ran, seen, state } = run(definition);
    expect(ran).toEqual(['each', 'body', 'each', 'body', 'each', 'body', 'each', 'end']);
    expect(seen.filter(({ nodeId }) => nodeId === 'body').map(({ inputs }) => inputs.input)).toEqual([
      { index: 0, item: 'a' },
      { index: 1, item: 'b' },
      { index: 2, item: 'c' },
    ]);
    expect(state.outputs).toEqual({ output: { iterations: 3 } });
  });
  it('nested loops count their passes separately', () => {
    const definition = workflow(
      {
        outer: { typeId: 'core.loop', config: { count: 2 } },
        inner: { typeId: 'core.loop', config: { count: 2 } },
        work: S,
        end: S,
      },
      [
        ['outer', 'inner', { sourceOutput: 'body' }],
        ['inner', 'work', { sourceOutput: 'body' }],
        ['work', 'inner'],
        ['inner', 'outer', { sourceOutput: 'done' }],
        ['outer', 'end', { sourceOutput: 'done' }],
      ],
    );
    const { ran, state } = run(definition);
    expect(ran.filter((id) => id === 'work')).toHaveLength(4);
    expect(ran.at(-1)).toBe('end');
    expect(state.status).toBe('completed');
  });
  it('a branch out of a loop is skipped only when the loop is over', () => {
    const leave = { type: 'equals', left: 'output', right: 2 } as const;
    const definition = workflow({ work: S, again: S, after: S }, [
      ['work', 'again', { condition: { type: 'notEquals', left: 'output', right: 2 } }],
      ['again', 'work'],
      ['work', 'after', { condition: leave }],
    ]);
    const { types } = run(definition, { work: ({ execution }) => done({ output: execution }) });
    expect(types.filter((type) => type.endsWith('(after)'))).toEqual([
      'node.started(after)',
      'node.completed(after)',
    ]);
  });
  it('a loop without end stops at the loopback limit', () => {
    const { types, state, log } = run(
      workflow(
        { a: S, b: S },
        [
          ['a', 'b'],
          ['b', 'a'],
        ],
        { settings: { maxLoopbackIterations: 2 } },
      ),
    );
    expect(types.filter((type) => type === 'node.started(a)')).toHaveLength(3);
    expect(types.slice(-2)).toEqual(['workflow.loopback-limit(a)', 'run.failed']);
    expect(log.at(-2)?.payload).toEqual({ nodeId: 'a', iterations: 3, limit: 2 });
    expect(state.error?.code).toBe('loopback_limit_exceeded');
  });
  it('core.merge combines what arrived, by node, in definition order', () => {
    const definition = workflow(
      { split: { typeId: 'core.parallel' }, a: S, b: S, join: { typeId: 'core.merge' } },
      [
        ['split', 'a'],
        ['split', 'b'],
        ['a', 'join'],
        ['b', 'join'],
      ],
    );
    expect(run(definition).state.nodes.join?.outputs).toEqual({ output: { a: 'a', b: 'b' } });
  });
});

describe('limits, retries, timers', () => {
  it('retries with growing delays, then gives up with the number of attempts', () => {
    const definition = workflow({ a: { ...S, settings: { maxRetries: 2, retryDelayMs: 100 } } }, []);
    const { types, log } = run(definition, { a: () => failed(true) });
    expect(types).toEqual([
      'run.started',
      'node.started(a)',
      'node.retried(a)',
      'node.started(a)',
      'node.retried(a)',
      'node.started(a)',
      'node.failed(a)',
      'run.failed',
    ]);
    expect(log.filter(({ type }) => type === 'node.retried').map(({ payload }) => payload)).toMatchObject([
      { attempt: 1, delayMs: 100 },
      { attempt: 2, delayMs: 200 },
    ]);
    expect(log.find(({ type }) => type === 'node.failed')?.payload).toMatchObject({ attempts: 3 });
    const starts = log.filter(({ type }) => type === 'node.started').map(({ at }) => at);
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBe(110);
  });
  it('does not retry what is not retryable', () => {
    const { types } = run(workflow({ a: { ...S, settings: { maxRetries: 5 } } }, []), {
      a: () => failed(false),
    });
    expect(types).not.toContain('node.retried(a)');
  });
  it('the node past the cap is refused before it starts', () => {
    const definition = workflow({ a: S, b: S, c: S }, [
      ['a', 'b'],
      ['b', 'c'],
    ]);
    const { types, log, state } = run(definition, {}, { maxNodeExecutions: 2 });
    expect(types.slice(-2)).toEqual(['cap.breached(c)', 'run.failed']);
    expect(types).not.toContain('node.started(c)');
    expect(log.at(-2)?.payload).toEqual({ kind: 'node-executions', limit: 2, observed: 3, nodeId: 'c' });
    expect(state.error?.code).toBe('recursion_limit_exceeded');
  });
  it('a run longer than its timeout fails and its delay is cancelled', () => {
    const { types, state } = run(
      workflow({ wait: { typeId: 'core.delay', config: { ms: 60_000 } } }, [], {
        settings: { timeout: 1000 },
      }),
    );
    expect(types.slice(-2)).toEqual(['node.cancelled(wait)', 'run.failed']);
    expect(state.error?.code).toBe('run_timeout');
  });
  it('a delay lasts as long as it says', () => {
    const { log } = run(
      workflow({ wait: { typeId: 'core.delay', inputs: { delayMs: { type: 'static', value: 250 } } } }, []),
    );
    const at = (type: string) => log.find((event) => event.type === type)?.at ?? 0;
    expect(at('node.completed') - at('node.started')).toBe(250);
  });
  it('a disabled node is skipped', () => {
    const { log, state } = run(
      workflow({ a: S, b: { ...S, disabled: true }, c: S }, [
        ['a', 'b'],
        ['b', 'c', { triggerRule: 'none_failed' }],
      ]),
    );
    expect(log.find(({ type }) => type === 'node.skipped')?.payload).toEqual({
      nodeId: 'b',
      reason: 'disabled',
    });
    expect(state.nodes.c?.status).toBe('completed');
  });
});
