/** What every dispatcher promises, as a test suite that each implementation runs (`describeDispatcher`). */
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../schemas/json.ts';
import type { Dispatcher, Invocation, NodeContext, NodeType, Outcome } from './types.ts';

export const silentLogger = pino({ level: 'silent' });

export interface DispatcherSetup {
  readonly nodeTypes: (typeId: string) => NodeType | undefined;
  /** Nodes executed at once. */
  readonly concurrency: number;
  /** Invocations held at once, executing ones included. */
  readonly capacity: number;
}

export interface DispatcherUnderTest {
  readonly dispatcher: Dispatcher;
  /** Frees what the test made; the dispatcher may have been stopped before. */
  dispose(): Promise<void>;
}

let invocations = 0;

/** An invocation with an id of its own; override what matters. */
export function invocationOf(typeId: string, overrides: Partial<Invocation> = {}): Invocation {
  const runId = `run-${++invocations}`;
  const now = Date.now();
  return {
    invocationId: `${runId}:node:0:0`,
    runId,
    tenantId: 'default',
    workflowId: 'workflow',
    nodeId: 'node',
    typeId,
    execution: 0,
    attempt: 0,
    iteration: 0,
    config: {},
    inputs: {},
    configurable: {},
    startedAt: now,
    now,
    ...overrides,
  };
}

/** A node type from a function. */
export function nodeTypeOf(typeId: string, execute: NodeType['execute']): NodeType {
  return { typeId, description: 'Of a test.', execute };
}

/** A node that waits until the test lets it go. */
export class Gate {
  readonly type: NodeType;
  /** Invocation ids in the order in which they began. */
  readonly begun: string[] = [];
  readonly aborted: string[] = [];
  readonly #release = Promise.withResolvers<void>();
  #running = 0;
  /** Most nodes at once so far. */
  most = 0;

  constructor(typeId = 'test.gate') {
    this.type = nodeTypeOf(typeId, (invocation, context) => this.#execute(invocation, context));
  }

  open(): void {
    this.#release.resolve();
  }

  async #execute({ invocationId }: Invocation, { signal }: NodeContext): Promise<Outcome> {
    this.begun.push(invocationId);
    signal.addEventListener('abort', () => this.aborted.push(invocationId), { once: true });
    this.most = Math.max(this.most, ++this.#running);
    await this.#release.promise;
    this.#running--;
    return { kind: 'completed', outputs: { from: invocationId } };
  }
}

const never = new AbortController().signal;
/** Patience of polls on a busy machine. */
const SOON = { timeout: 10_000 };
const isBusy = { code: 'service_unavailable' };

/** Registers the suite for one implementation. `setup` makes a fresh dispatcher for each test. */
export function describeDispatcher(
  name: string,
  setup: (options: DispatcherSetup) => Promise<DispatcherUnderTest>,
): void {
  describe(`dispatcher contract: ${name}`, () => {
    const made: DispatcherUnderTest[] = [];
    afterEach(async () => {
      for (const each of made.splice(0)) await each.dispose();
    });

    const start = async (types: readonly NodeType[], limits = { concurrency: 8, capacity: 64 }) => {
      const byId = new Map(types.map((type) => [type.typeId, type]));
      const underTest = await setup({ ...limits, nodeTypes: (typeId) => byId.get(typeId) });
      made.push(underTest);
      return underTest.dispatcher;
    };

    const outcomeOf = async (execute: NodeType['execute']) =>
      (await start([nodeTypeOf('test.node', execute)])).dispatch(invocationOf('test.node'), never);

    describe('outcomes', () => {
      it('come back as the node made them, from the invocation as it was given', async () => {
        const dispatcher = await start([
          nodeTypeOf('test.echo', (invocation) => ({
            kind: 'completed',
            outputs: { ...invocation } as unknown as JsonObject,
            variables: { seen: true },
          })),
        ]);
        const invocation = invocationOf('test.echo', {
          nodeId: 'a node.with "odd" \u0000 näme/>*',
          invocationId: 'run-x:a node.with "odd" \u0000 näme/>*:3:1',
          execution: 3,
          attempt: 1,
          config: { list: [1, 2.5, -1e300], nothing: null, deep: { deeper: [{}, []] } },
          inputs: { text: '\u{1F9ED} "quoted"\n', flag: false },
          variables: { n: 1 },
          sources: [{ nodeId: 'up', edgeId: 'e', taken: true, value: [1] }],
          deadline: Date.now() + 60_000,
        });
        expect(await dispatcher.dispatch(invocation, never)).toEqual({
          kind: 'completed',
          outputs: invocation,
          variables: { seen: true },
        });
      });

      const kinds: Outcome[] = [
        { kind: 'completed', outputs: {} },
        {
          kind: 'failed',
          error: { code: 'my_code', message: 'no', details: { why: [1] } },
          retryable: true,
        },
        { kind: 'sleeping', until: 1_900_000_000_000 },
        { kind: 'capBreached', cap: 'tokens', limit: 10, observed: 11 },
      ];
      it.each(kinds)('of kind $kind pass unchanged', async (outcome) => {
        expect(await outcomeOf(() => outcome)).toEqual(outcome);
      });

      it('of a node that throws are failures', async () => {
        const thrown = () => {
          throw new Error('it broke');
        };
        expect(await outcomeOf(thrown)).toEqual({
          kind: 'failed',
          error: { code: 'node_error', message: 'it broke' },
          retryable: false,
        });
      });

      it('carry code, details and retryable of what was thrown', async () => {
        const error = Object.assign(new Error('later'), {
          code: 'upstream_busy',
          retryable: true,
          details: { after: 3 },
        });
        expect(await outcomeOf(() => Promise.reject(error))).toEqual({
          kind: 'failed',
          error: { code: 'upstream_busy', message: 'later', details: { after: 3 } },
          retryable: true,
        });
      });

      it('are failures when no process has the node type', async () => {
        const dispatcher = await start([]);
        expect(await dispatcher.dispatch(invocationOf('test.unknown'), never)).toMatchObject({
          kind: 'failed',
          error: { code: 'unsupported_node_type' },
          retryable: false,
        });
      });

      it.each<[string, unknown, string]>([
        ['a function', { kind: 'completed', outputs: { a: [() => 1] } }, 'outputs.a[0] is not a JSON value'],
        ['undefined', { kind: 'completed', outputs: { a: undefined } }, 'outputs.a is not a JSON value'],
        ['a BigInt', { kind: 'completed', outputs: { a: 1n } }, 'outputs.a is not a JSON value'],
        ['NaN', { kind: 'completed', outputs: { a: Number.NaN } }, 'outputs.a is not a JSON value'],
        ['a class', { kind: 'completed', outputs: { a: new Map() } }, 'outputs.a is not a JSON value'],
        ['no outputs', { kind: 'completed' }, 'outputs is not an object'],
        ['no error', { kind: 'failed', retryable: false }, 'error is not an object'],
        ['an unknown kind', { kind: 'done' }, 'the node returned no outcome'],
        ['nothing', undefined, 'the node returned no outcome'],
      ])('that hold %s are failures that say where', async (_what, outcome, message) => {
        expect(await outcomeOf(() => outcome as Outcome)).toEqual({
          kind: 'failed',
          error: { code: 'node_error', message },
          retryable: false,
        });
      });
    });

    describe('time', () => {
      it('ends a node at its deadline, even one that does not listen', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const startedAt = Date.now();
        const invocation = invocationOf('test.gate', { startedAt, deadline: startedAt + 300 });
        expect(await dispatcher.dispatch(invocation, never)).toEqual({
          kind: 'failed',
          error: { code: 'node_timeout', message: 'The node took longer than 300 ms.' },
          retryable: true,
        });
        await expect.poll(() => gate.aborted, SOON).toEqual([invocation.invocationId]);
        gate.open();
      });

      it('that is over already is not spent on the node', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const past = Date.now() - 1;
        expect(await dispatcher.dispatch(invocationOf('test.gate', { deadline: past }), never)).toMatchObject(
          { kind: 'failed', error: { code: 'node_timeout' }, retryable: true },
        );
        gate.open();
        expect(gate.begun).toEqual([]);
      });
    });

    describe('an abort', () => {
      it('rejects with its reason at once and reaches the node', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const abort = new AbortController();
        const invocation = invocationOf('test.gate');
        const outcome = dispatcher.dispatch(invocation, abort.signal);
        await expect.poll(() => gate.begun, SOON).toEqual([invocation.invocationId]);
        const reason = new Error('cancelled by a test');
        abort.abort(reason);
        await expect(outcome).rejects.toBe(reason);
        await expect.poll(() => gate.aborted, SOON).toEqual([invocation.invocationId]);
        await expect.poll(() => dispatcher.stats(), SOON).toMatchObject({ inFlight: 0, queued: 0 });
        gate.open();
      });

      it('before the dispatch keeps the node from running', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const reason = new Error('too late');
        await expect(dispatcher.dispatch(invocationOf('test.gate'), AbortSignal.abort(reason))).rejects.toBe(
          reason,
        );
        expect(gate.begun).toEqual([]);
      });

      it('leaves room for the same invocation again', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const invocation = invocationOf('test.gate');
        const abort = new AbortController();
        const first = dispatcher.dispatch(invocation, abort.signal);
        await expect.poll(() => gate.begun.length, SOON).toBe(1);
        abort.abort(new Error('not now'));
        await expect(first).rejects.toThrow('not now');
        const second = dispatcher.dispatch(invocation, never);
        await expect.poll(() => gate.begun.length, SOON).toBe(2);
        gate.open();
        expect(await second).toMatchObject({ kind: 'completed' });
      });
    });

    describe('the same invocation id', () => {
      it('shares the outcome while in flight', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const invocation = invocationOf('test.gate');
        const first = dispatcher.dispatch(invocation, never);
        const second = dispatcher.dispatch({ ...invocation }, never);
        await expect.poll(() => gate.begun.length, SOON).toBe(1);
        const third = dispatcher.dispatch({ ...invocation }, never);
        gate.open();
        const expected = { kind: 'completed', outputs: { from: invocation.invocationId } };
        expect(await Promise.all([first, second, third])).toEqual([expected, expected, expected]);
        expect(gate.begun).toEqual([invocation.invocationId]);
      });

      it('executes again once it has ended: a sleeper is invoked anew', async () => {
        let calls = 0;
        const dispatcher = await start([
          nodeTypeOf('test.sleeper', () =>
            ++calls < 3 ? { kind: 'sleeping', until: Date.now() } : { kind: 'completed', outputs: { calls } },
          ),
        ]);
        const invocation = invocationOf('test.sleeper');
        const kinds: string[] = [];
        for (let i = 0; i < 3; i++) kinds.push((await dispatcher.dispatch(invocation, never)).kind);
        expect(kinds).toEqual(['sleeping', 'sleeping', 'completed']);
      });
    });

    describe('load', () => {
      it('executes no more nodes at once than it may, and all of them', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type], { concurrency: 3, capacity: 64 });
        const wanted = Array.from({ length: 10 }, () => invocationOf('test.gate'));
        const outcomes = wanted.map((invocation) => dispatcher.dispatch(invocation, never));
        await expect.poll(() => gate.begun.length, SOON).toBe(3);
        gate.open();
        expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(wanted.map(() => 'completed'));
        expect(gate.most).toBe(3);
        expect(gate.begun.toSorted()).toEqual(wanted.map(({ invocationId }) => invocationId).toSorted());
      });

      it('refuses what exceeds its capacity and takes new work once there is room', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type], { concurrency: 2, capacity: 5 });
        const held = Array.from({ length: 5 }, () => dispatcher.dispatch(invocationOf('test.gate'), never));
        await expect.poll(() => gate.begun.length, SOON).toBe(2);
        expect(dispatcher.stats().capacity).toBe(5);
        expect(dispatcher.stats().inFlight + dispatcher.stats().queued).toBe(5);
        await expect(dispatcher.dispatch(invocationOf('test.gate'), never)).rejects.toMatchObject({
          ...isBusy,
          retryAfterSeconds: expect.any(Number),
        });
        gate.open();
        await Promise.all(held);
        expect(dispatcher.stats()).toEqual({ inFlight: 0, queued: 0, capacity: 5 });
        expect(await dispatcher.dispatch(invocationOf('test.gate'), never)).toMatchObject({
          kind: 'completed',
        });
      });
    });

    describe('stop', () => {
      it('takes nothing new and waits for what runs', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const running = dispatcher.dispatch(invocationOf('test.gate'), never);
        await expect.poll(() => gate.begun.length, SOON).toBe(1);
        const stopped = dispatcher.stop(20_000);
        await expect(dispatcher.dispatch(invocationOf('test.gate'), never)).rejects.toMatchObject(isBusy);
        gate.open();
        expect(await running).toMatchObject({ kind: 'completed' });
        await stopped;
      });

      it('lets go of what does not end in time, without making up an outcome', async () => {
        const gate = new Gate();
        const dispatcher = await start([gate.type]);
        const running = dispatcher.dispatch(invocationOf('test.gate'), never);
        const ended = expect(running).rejects.toMatchObject(isBusy);
        await expect.poll(() => gate.begun.length, SOON).toBe(1);
        await dispatcher.stop(50);
        await ended;
        gate.open();
      });

      it('at once is fine when idle', async () => {
        const dispatcher = await start([]);
        await dispatcher.stop(20_000);
        await dispatcher.stop(20_000);
        await expect(dispatcher.dispatch(invocationOf('test.gate'), never)).rejects.toMatchObject(isBusy);
      });
    });
  });
}
