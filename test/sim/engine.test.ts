import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FoldedEvent } from '../../kernel/engine/fold.ts';
import { randomWorkflow } from './random-workflow.ts';
import { refold, simulate } from './simulate.ts';

const RUNS = 400;

describe('the engine, on random workflows', () => {
  it('always ends, with one terminal event and that one last', () => {
    fc.assert(
      fc.property(randomWorkflow, (definition) => {
        const { log } = simulate(definition);
        const terminal = log.filter(({ type }) =>
          ['run.completed', 'run.failed', 'run.cancelled'].includes(type),
        );
        expect(terminal).toHaveLength(1);
        expect(log.at(-1)).toBe(terminal[0]);
        expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => index));
        // Running out of things to decide is a bug of the engine, never of the workflow.
        expect(log.filter(({ payload }) => JSON.stringify(payload).includes('internal_error'))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('never starts a node past the cap, and starts, ends and retries of a node alternate', () => {
    fc.assert(
      fc.property(randomWorkflow, fc.integer({ min: 1, max: 12 }), (definition, maxNodeExecutions) => {
        const { log } = simulate(definition, { maxNodeExecutions });
        const starts = log.filter(({ type }) => type === 'node.started');
        const breaches = log.filter(({ type }) => type === 'cap.breached');
        expect(starts.length).toBeLessThanOrEqual(maxNodeExecutions);
        expect(breaches.length).toBeLessThanOrEqual(1);
        for (const { id } of definition.nodes) expect(lifecycleMistake(log, id)).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('folds deterministically: the log alone gives the state', () => {
    fc.assert(
      fc.property(randomWorkflow, (definition) => {
        const { log, state } = simulate(definition);
        expect(refold(definition, log)).toEqual(state);
      }),
      { numRuns: RUNS },
    );
  });

  it('reaches the same log whenever and however often it crashes', () => {
    fc.assert(
      fc.property(randomWorkflow, fc.infiniteStream(fc.boolean()), (definition, coin) => {
        const calm = simulate(definition);
        const crashed = simulate(definition, { crashAfter: () => coin.next().value === true });
        expect(crashed.log).toEqual(calm.log);
        expect(crashed.state).toEqual(calm.state);
      }),
      { numRuns: RUNS },
    );
  });
});

/** First event of a node that does not follow from the one before it. */
function lifecycleMistake(log: readonly FoldedEvent[], nodeId: string): string | undefined {
  const allowed: Record<string, readonly string[]> = {
    idle: ['node.started', 'node.skipped', 'node.failed'],
    'node.started': ['node.completed', 'node.failed', 'node.retried', 'node.cancelled'],
    'node.retried': ['node.started', 'node.cancelled'],
    'node.completed': ['node.started', 'node.skipped'],
    'node.skipped': ['node.started', 'node.skipped'],
    'node.failed': ['node.started', 'node.skipped'],
    'node.cancelled': [],
  };
  let last = 'idle';
  for (const event of log) {
    if (event.nodeId !== nodeId || !event.type.startsWith('node.')) continue;
    if (!allowed[last]?.includes(event.type)) return `${event.type} after ${last} at ${event.sequence}`;
    last = event.type;
  }
  return undefined;
}
