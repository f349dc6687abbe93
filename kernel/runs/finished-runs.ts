/** Finished runs are read right after they finish: the last ones are kept in memory, bounded in number and size. */
import { LRUCache } from 'lru-cache';
import type { Plan } from '../engine/plan.ts';
import type { EngineState } from '../engine/state.ts';
import type { RunHeader } from '../log/types.ts';

/** A run that has ended, with its snapshot as JSON once somebody has asked for it. */
export interface Finished {
  readonly header: RunHeader;
  readonly plan: Plan;
  readonly state: EngineState;
  json?: string;
}

const MAX_RUNS = 2000;
/** Characters, roughly. */
const MAX_SIZE = 64 * 1024 * 1024;

/** An empty cache, by run id. */
export function finishedRuns(): LRUCache<string, Finished> {
  return new LRUCache({ max: MAX_RUNS, maxSize: MAX_SIZE, sizeCalculation: ({ state }) => sizeOf(state) });
}

/** Characters a value holds, roughly; for bounding a cache, not for accounting. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 16;
  if (typeof value !== 'object' || value === null) return 16;
  let size = 32;
  for (const key in value) size += key.length + sizeOf((value as Record<string, unknown>)[key]);
  return size;
}
