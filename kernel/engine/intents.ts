/** What the engine wants recorded, and what it is told about the run it decides for. */
import type { JsonObject } from '../../schemas/json.ts';
import type { RunHeader } from '../log/types.ts';

/** An event to append; the driver adds ids, sequence and time, and masks sensitive values. */
export interface EventIntent {
  readonly type: string;
  readonly payload: JsonObject;
  readonly nodeId?: string;
}

export interface RunFacts extends RunHeader {
  /** Effective node-execution cap: min(recursionLimit, host ceiling). */
  readonly maxNodeExecutions: number;
  readonly transport: string;
}
