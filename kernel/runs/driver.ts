/**
 * Drives one claimed run: asks the pure engine what happens next, appends it, executes invocations, waits. The only impure part of
 * execution. One turn at a time; a node's effects begin only after its start event is committed.
 */
import type { Logger } from 'pino';
import type { JsonObject } from '../../schemas/json.ts';
import { executeInline } from '../dispatch/execute.ts';
import type { Dispatcher, Invocation, Outcome } from '../dispatch/types.ts';
import { cancelRun } from '../engine/endings.ts';
import type { EventIntent, RunFacts } from '../engine/intents.ts';
import { next } from '../engine/next.ts';
import type { Plan } from '../engine/plan.ts';
import { isCurrent, settle } from '../engine/settle.ts';
import { toProjection } from '../engine/snapshot.ts';
import type { EngineState } from '../engine/state.ts';
import { WoprError } from '../errors.ts';
import type { AppendRequest, EventLog, Signal } from '../log/types.ts';
import { TurnDraft } from './turn-draft.ts';

/** Most events of one turn, so that a long inline stretch does not hold the event loop or one huge transaction. */
const TURN_EVENTS = 200;
/** A live run is checkpointed at least this often, so that recovery need not fold a long log from zero. */
const CHECKPOINT_EVERY = 500;
/** A finished run shorter than this is folded again when read; longer ones are read from their checkpoint. */
const CHECKPOINT_FINISHED = 64;
const RETRY_MS = 1000;

export interface DriverEnvironment {
  readonly log: EventLog;
  readonly dispatcher: () => Dispatcher;
  readonly logger: Logger;
  /** Epoch ms. */
  readonly now: () => number;
  /** Execute inline node types inside the turn. */
  readonly inline: boolean;
  /** The run left this driver: finished, parked, or lost to another host. */
  readonly onLeave: (driver: RunDriver, why: 'finished' | 'parked' | 'lost') => void;
  /** A parked run wants to be woken. */
  readonly onWake: (at: number) => void;
}

/** What one turn decided, to be committed as a whole. */
export interface Turn {
  readonly request: AppendRequest;
  readonly state: EngineState;
  readonly dispatch: readonly Invocation[];
  readonly consumed: readonly Input[];
  readonly wakeAt: number | null;
  /** The turn was cut short; another follows at once. */
  readonly more: boolean;
}

type Input =
  | { readonly kind: 'outcome'; readonly invocation: Invocation; readonly outcome: Outcome }
  | { readonly kind: 'signal'; readonly signal: Signal };

export class RunDriver {
  readonly facts: RunFacts;
  readonly plan: Plan;
  /** As of the last commit; what readers see. */
  committed: EngineState;
  readonly #environment: DriverEnvironment;
  readonly #inFlight = new Map<
    string,
    { readonly invocation: Invocation; readonly abort: AbortController }
  >();
  /** Invocation id → epoch ms before which it need not be asked again. */
  readonly #sleeping = new Map<string, number>();
  #inputs: Input[] = [];
  #lastCheckpoint: number;
  #pumping = false;
  #again = false;
  #left = false;
  #recovered: boolean;
  /** Unread signals may be stored. */
  #signalled: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `loaded`: the run comes from the store, so signals may wait for it; `recovered`: begun by another process. */
  constructor(
    environment: DriverEnvironment,
    facts: RunFacts,
    plan: Plan,
    state: EngineState,
    { loaded = false, recovered = false }: { readonly loaded?: boolean; readonly recovered?: boolean } = {},
  ) {
    this.#environment = environment;
    this.facts = facts;
    this.plan = plan;
    this.committed = state;
    this.#lastCheckpoint = state.sequence;
    this.#recovered = recovered;
    this.#signalled = loaded;
  }

  /** Something happened (timer, signal): take a turn. Never rejects. */
  poke(): void {
    this.#again = true;
    if (!this.#pumping && !this.#left) void this.#pump();
  }

  /** A signal was stored that no turn has looked for. */
  get signalsUnread(): boolean {
    return this.#signalled;
  }

  /** A signal was stored for this run. */
  signalled(): void {
    this.#signalled = true;
    this.poke();
  }

  /** Stops executing without touching the log; the claim is released or has been lost. */
  abandon(reason: unknown): void {
    this.#leave('lost', reason);
  }

  /** Another host holds the run now. */
  lost(reason: unknown): void {
    if (this.#left) return;
    const message = 'another host has taken this run over; nothing was written';
    this.#environment.logger.warn({ runId: this.facts.runId }, message);
    this.#leave('lost', reason);
  }

  /** Computes a turn from the committed state. Pure but for the clock; `commit` must follow, or nothing happened. */
  turn(): Turn {
    const { now, inline } = this.#environment;
    const signals = this.#signalled ? this.#environment.log.signals(this.facts.runId) : [];
    this.#signalled = false;
    const inputs: Input[] = [
      ...this.#inputs,
      ...signals.map((signal) => ({ kind: 'signal' as const, signal })),
    ];
    const draft = new TurnDraft(
      this.plan,
      this.facts,
      this.committed,
      // Time never runs backwards within a log, whatever the clock of the machine does.
      Math.max(now(), this.committed.lastEventAt),
    );
    if (this.#recovered && this.committed.status === 'running')
      draft.record([{ type: 'run.resumed', payload: { reason: 'recovered' } }]);
    for (const input of inputs) draft.record(this.#eventsOf(input, draft.state));

    const dispatch = new Map<string, Invocation>();
    let wakeAt: number | null = null;
    let more = false;
    for (let progress = true; progress; ) {
      progress = false;
      if (draft.entries.length >= TURN_EVENTS) {
        more = true;
        break;
      }
      const step = next(this.plan, draft.state, this.facts, draft.at);
      if (step.events.length > 0) {
        draft.record(step.events);
        progress = true;
        continue;
      }
      wakeAt = step.wakeAt ?? null;
      dispatch.clear();
      for (const invocation of step.invocations) {
        const id = invocation.invocationId;
        const until = this.#sleeping.get(id);
        if (this.#inFlight.has(id)) continue;
        if (until !== undefined && until > draft.at) wakeAt = Math.min(wakeAt ?? Infinity, until);
        else if (inline && this.plan.nodes.get(invocation.nodeId)?.type?.inline) {
          const outcome = this.#executeInline(invocation);
          if (outcome.kind === 'sleeping') {
            this.#sleeping.set(id, outcome.until);
            wakeAt = Math.min(wakeAt ?? Infinity, outcome.until);
          } else {
            draft.record(settle(this.plan, draft.state, invocation, outcome));
            progress = true;
          }
        } else dispatch.set(id, invocation);
      }
    }
    return this.#request(draft, inputs, [...dispatch.values()], wakeAt, more);
  }

  /** Makes a committed turn the truth: aborts what no longer counts, starts what is due, parks or leaves. */
  commit(turn: Turn): void {
    if (this.#left) return;
    this.committed = turn.state;
    this.#recovered = false;
    this.#inputs = this.#inputs.filter((input) => !turn.consumed.includes(input));
    if (turn.request.checkpoint) this.#lastCheckpoint = turn.request.checkpoint.sequence;
    for (const [id, { invocation, abort }] of this.#inFlight) {
      if (isCurrent(this.committed, invocation)) continue;
      this.#inFlight.delete(id);
      abort.abort(new Error('the run moved on'));
    }
    if (turn.request.release)
      return this.#leave(
        turn.state.completedAt === undefined ? 'parked' : 'finished',
        undefined,
        turn.wakeAt,
      );
    for (const invocation of turn.dispatch) void this.#dispatch(invocation);
    this.#arm(turn.wakeAt);
    if (turn.more) this.poke();
  }

  #request(
    draft: TurnDraft,
    inputs: readonly Input[],
    dispatch: readonly Invocation[],
    wakeAt: number | null,
    more: boolean,
  ): Turn {
    const { state, entries } = draft;
    // A run that is about to fail starts nothing more.
    const due = state.failure ? [] : dispatch;
    const finished = state.completedAt !== undefined;
    const waiting = [...this.#inFlight.values()].some(({ invocation }) => isCurrent(state, invocation));
    const release = finished || (!more && !waiting && due.length === 0);
    const long = finished
      ? state.sequence > CHECKPOINT_FINISHED
      : release || state.sequence - this.#lastCheckpoint >= CHECKPOINT_EVERY;
    const consumedSignals = inputs.flatMap((input) =>
      input.kind === 'signal' ? [input.signal.signalId] : [],
    );
    return {
      state,
      dispatch: due,
      wakeAt: finished ? null : wakeAt,
      more,
      consumed: inputs,
      request: {
        runId: this.facts.runId,
        entries,
        projection: toProjection(state, finished || !release ? null : wakeAt),
        ...(long ? { checkpoint: { sequence: state.sequence, state: state as unknown as JsonObject } } : {}),
        ...(release ? { release } : {}),
        ...(consumedSignals.length > 0 ? { consumedSignals } : {}),
      },
    };
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      while (this.#again && !this.#left) {
        this.#again = false;
        const turn = this.turn();
        if (turn.request.entries.length > 0 || turn.request.release || turn.consumed.length > 0)
          await this.#environment.log.append(turn.request);
        this.commit(turn);
      }
    } catch (error) {
      if (error instanceof WoprError && error.code === 'claim_lost') this.lost(error);
      else if (!this.#left) {
        // The store refused (disk full, say). Nothing was lost: the inputs are still here and the state is the committed one.
        this.#signalled = true;
        this.#environment.logger.error(
          { err: error, runId: this.facts.runId },
          'turn could not be committed; trying again',
        );
        this.#timer = setTimeout(() => this.poke(), RETRY_MS);
      }
    } finally {
      this.#pumping = false;
    }
  }

  async #dispatch(invocation: Invocation): Promise<void> {
    const { invocationId } = invocation;
    const abort = new AbortController();
    this.#inFlight.set(invocationId, { invocation, abort });
    let outcome: Outcome;
    try {
      outcome = await this.#environment.dispatcher().dispatch(invocation, abort.signal);
    } catch (error) {
      this.#inFlight.delete(invocationId);
      if (this.#left || abort.signal.aborted) return;
      // Back-pressure: the node stays started and is offered again.
      const seconds = error instanceof WoprError ? (error.retryAfterSeconds ?? 1) : 1;
      this.#environment.logger.warn(
        { err: error, runId: this.facts.runId, nodeId: invocation.nodeId },
        'dispatch refused; trying again',
      );
      this.#sleeping.set(invocationId, this.#environment.now() + seconds * 1000);
      this.poke();
      return;
    }
    this.#inFlight.delete(invocationId);
    if (this.#left) return;
    if (outcome.kind === 'sleeping') this.#sleeping.set(invocationId, outcome.until);
    else this.#inputs.push({ kind: 'outcome', invocation, outcome });
    this.poke();
  }

  #executeInline(invocation: Invocation): Outcome {
    const type = this.plan.nodes.get(invocation.nodeId)?.type;
    if (!type) throw new Error(`node type "${invocation.typeId}" is gone`);
    return executeInline(type, invocation, this.#environment.logger);
  }

  #eventsOf(input: Input, state: EngineState): EventIntent[] {
    if (input.kind === 'outcome') return settle(this.plan, state, input.invocation, input.outcome);
    const { kind, payload } = input.signal;
    if (kind === 'cancel')
      return cancelRun(
        state,
        String(payload.by ?? 'system'),
        typeof payload.reason === 'string' ? payload.reason : undefined,
      );
    this.#environment.logger.warn({ runId: this.facts.runId, kind }, 'signal of unknown kind dropped');
    return [];
  }

  #arm(wakeAt: number | null): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (wakeAt !== null)
      this.#timer = setTimeout(() => this.poke(), timerDelay(wakeAt - this.#environment.now()));
  }

  #leave(why: 'finished' | 'parked' | 'lost', reason?: unknown, wakeAt: number | null = null): void {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#timer);
    for (const { abort } of this.#inFlight.values()) abort.abort(reason ?? new Error('the run ended'));
    this.#inFlight.clear();
    this.#environment.onLeave(this, why);
    if (wakeAt !== null) this.#environment.onWake(wakeAt);
  }
}

/** Node timers take at most 2^31 - 1 ms; a longer wait is asked again. */
export function timerDelay(ms: number): number {
  return Math.min(Math.max(ms, 0), 2 ** 31 - 1);
}
