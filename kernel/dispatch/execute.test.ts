import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Gate, invocationOf, nodeTypeOf, silentLogger } from './contract.ts';
import { execute, executeInline } from './execute.ts';
import type { NodeContext } from './types.ts';

const never = new AbortController().signal;

describe('execute', () => {
  it('is an aborted outcome, at once, when stopped from outside', async () => {
    const gate = new Gate();
    const abort = new AbortController();
    const outcome = execute(gate.type, invocationOf('test.gate'), abort.signal, silentLogger);
    abort.abort();
    expect(await outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'node_aborted' },
      retryable: false,
    });
    gate.open();
  });

  it('does not begin a node whose signal is aborted already', async () => {
    const gate = new Gate();
    const outcome = await execute(gate.type, invocationOf('test.gate'), AbortSignal.abort(), silentLogger);
    expect(outcome).toMatchObject({ error: { code: 'node_aborted' } });
    expect(gate.begun).toEqual([]);
  });

  it('ends the signal of a node that has answered, so that what it left behind can stop', async () => {
    let signal: AbortSignal | undefined;
    const type = nodeTypeOf('test.node', (_invocation, context) => {
      signal = context.signal;
      return { kind: 'completed', outputs: {} };
    });
    await execute(type, invocationOf('test.node'), never, silentLogger);
    expect(signal?.aborted).toBe(true);
  });

  it('shows an ended signal also to a node that first looks at it when it has ended', async () => {
    let late: NodeContext | undefined;
    const type = nodeTypeOf('test.node', (_invocation, context) => {
      late = context;
      return { kind: 'completed', outputs: {} };
    });
    await execute(type, invocationOf('test.node'), never, silentLogger);
    expect(late?.signal.aborted).toBe(true);
  });

  it('waits for nodes whose deadline is further away than a timer can count', async () => {
    const type = nodeTypeOf('test.node', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { kind: 'completed', outputs: {} };
    });
    const deadline = Date.now() + 2 ** 31;
    const outcome = await execute(type, invocationOf('test.node', { deadline }), never, silentLogger);
    expect(outcome.kind).toBe('completed');
  });

  it.each<[string, unknown, string]>([
    ['text', 'just text', 'just text'],
    ['nothing', undefined, 'The node failed without saying why.'],
    ['an object without prototype', Object.create(null), 'The node failed without saying why.'],
  ])('takes %s thrown', async (_what, thrown, message) => {
    const type = nodeTypeOf('test.node', () => {
      throw thrown;
    });
    expect(await execute(type, invocationOf('test.node'), never, silentLogger)).toEqual({
      kind: 'failed',
      error: { code: 'node_error', message },
      retryable: false,
    });
  });

  it('leaves out details that JSON cannot carry', async () => {
    const type = nodeTypeOf('test.node', () => {
      throw Object.assign(new Error('no'), { code: 'mine', details: { callback: () => 1 } });
    });
    expect(await execute(type, invocationOf('test.node'), never, silentLogger)).toEqual({
      kind: 'failed',
      error: { code: 'mine', message: 'no' },
      retryable: false,
    });
  });

  it('logs what a node says, with the run it belongs to', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const type = nodeTypeOf('test.node', (_invocation, { log }) => {
      log('info', 'half way', { percent: 50, runId: 'forged' });
      return { kind: 'completed', outputs: {} };
    });
    const invocation = invocationOf('test.node');
    await execute(type, invocation, never, logger);
    expect(lines).toMatchObject([{ msg: 'half way', percent: 50, runId: invocation.runId, nodeId: 'node' }]);
  });
});

describe('executeInline', () => {
  it('returns the outcome in the same turn', () => {
    const type = nodeTypeOf('test.node', ({ inputs }) => ({ kind: 'completed', outputs: inputs }));
    const outcome = executeInline(type, invocationOf('test.node', { inputs: { a: 1 } }), silentLogger);
    expect(outcome).toEqual({ kind: 'completed', outputs: { a: 1 } });
  });

  it('fails a node that answers later', () => {
    const type = nodeTypeOf('test.node', async () => ({ kind: 'completed', outputs: {} }));
    expect(executeInline(type, invocationOf('test.node'), silentLogger)).toMatchObject({
      error: { code: 'node_error', message: 'node type "test.node" is declared inline but answers later' },
    });
  });
});
