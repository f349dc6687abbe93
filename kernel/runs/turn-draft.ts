/** The events of one turn of a run: sealed with ids, sequence and time, masked for readers, folded as they come. */
import type { JsonObject } from '../../schemas/json.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { draftOf, foldInto } from '../engine/fold.ts';
import type { EventIntent, RunFacts } from '../engine/intents.ts';
import { maskPayload } from '../engine/masking.ts';
import type { Plan } from '../engine/plan.ts';
import type { EngineState } from '../engine/state.ts';
import { eventIdOf } from '../log/index.ts';
import type { LogEntry } from '../log/types.ts';
import { EVENT_SCHEMA_VERSION } from '../version.ts';

export class TurnDraft {
  readonly entries: LogEntry[] = [];
  readonly at: number;
  readonly #timestamp: string;
  /** This turn's own copy. */
  readonly state: EngineState;
  readonly #plan: Plan;
  readonly #facts: RunFacts;

  constructor(plan: Plan, facts: RunFacts, state: EngineState, at: number) {
    this.#plan = plan;
    this.#facts = facts;
    this.state = draftOf(state);
    this.at = at;
    this.#timestamp = new Date(at).toISOString();
  }

  record(intents: readonly EventIntent[]): void {
    for (const intent of intents) {
      const { sequence } = this.state;
      const payload = maskPayload(this.#plan, intent);
      const doc = this.#seal(intent, payload, sequence);
      this.entries.push(payload === intent.payload ? { doc } : { doc, secret: intent.payload });
      const { type, nodeId } = intent;
      foldInto(this.#plan, this.state, { type, nodeId, payload: intent.payload, sequence, at: this.at });
    }
  }

  #seal(intent: EventIntent, payload: JsonObject, sequence: number): RunEventDoc {
    const { runId, engineVersion } = this.#facts;
    return {
      eventId: eventIdOf(runId, sequence),
      runId,
      type: intent.type as RunEventDoc['type'],
      payload,
      timestamp: this.#timestamp,
      sequence,
      ...(intent.nodeId === undefined ? {} : { nodeId: intent.nodeId }),
      schemaVersion: EVENT_SCHEMA_VERSION,
      engineVersion: String(engineVersion),
    };
  }
}
