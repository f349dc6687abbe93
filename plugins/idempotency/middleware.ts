/** Idempotency layer 1: executes a keyed request once, answers its duplicates from the store (HTTP §8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { WoprError } from '../../kernel/errors.ts';
import type { Middleware, Route, RouteRequest, RouteResponse } from '../../kernel/plugin/points/http.ts';
import { newRunId } from '../../kernel/runs/run-id.ts';
import { setReservedRunId } from './contract.ts';
import type { EntryStore, Reservation } from './entry-store.ts';
import { bodyDigest, cacheKeyOf, checkKey } from './request-identity.ts';
import {
  errorResponse,
  type Fate,
  fateOfError,
  fateOfStatus,
  fromStored,
  toStored,
} from './stored-response.ts';

/** How often a duplicate looks whether another process has finished. */
const FOREIGN_POLL_MS = 50;

export type Outcome = 'executed' | 'replayed' | 'in_flight' | 'mismatch';

export interface IdempotencyOptions {
  readonly store: EntryStore;
  /** How long a duplicate waits for the first request. */
  readonly waitMs: number;
  /** Epoch ms. */
  readonly now: () => number;
  readonly onOutcome: (outcome: Outcome) => void;
}

interface Execution {
  readonly reservation: Reservation;
  readonly digest: string;
  readonly done: Promise<void>;
}

export class Idempotency implements Middleware {
  readonly name = 'idempotency';
  readonly stage = 'execution';
  readonly order = 10;
  readonly #options: IdempotencyOptions;
  readonly #executing = new Map<string, Execution>();

  constructor(options: IdempotencyOptions) {
    this.#options = options;
  }

  /** What this process executes now; their leases have to be renewed. */
  executing(): readonly Reservation[] {
    return [...this.#executing.values()].map(({ reservation }) => reservation);
  }

  appliesTo(route: Route): boolean {
    return route.method !== 'GET' && route.scopes !== null;
  }

  async handle(
    request: RouteRequest,
    route: Route,
    next: () => Promise<RouteResponse>,
  ): Promise<RouteResponse> {
    const header = request.headers['idempotency-key'];
    const { principal } = request;
    if (header === undefined || principal === undefined || !this.appliesTo(route)) return next();
    const cacheKey = cacheKeyOf(principal, request, checkKey(header));
    const digest = bodyDigest(request.body);
    const runId = createsRun(route) ? newRunId(this.#options.now()) : null;
    const deadline = this.#options.now() + this.#options.waitMs;
    for (;;) {
      const local = this.#executing.get(cacheKey);
      if (local && local.digest !== digest) throw this.#inFlight();
      if (!local) {
        const standing = await this.#options.store.reserve(cacheKey, digest, runId);
        if (standing.kind === 'reserved') return this.#execute(request, standing.reservation, digest, next);
        if (standing.kind === 'final') {
          this.#options.onOutcome('replayed');
          return fromStored(standing.response, true);
        }
        if (standing.kind === 'mismatch') throw this.#mismatch();
        if (!standing.sameBody) throw this.#inFlight();
      }
      const left = deadline - this.#options.now();
      if (left <= 0) throw this.#inFlight();
      await this.#wait(local ? left : Math.min(left, FOREIGN_POLL_MS), local, request.signal);
    }
  }

  async #execute(
    request: RouteRequest,
    reservation: Reservation,
    digest: string,
    next: () => Promise<RouteResponse>,
  ): Promise<RouteResponse> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#executing.set(reservation.cacheKey, { reservation, digest, done: promise });
    if (reservation.runId !== null) setReservedRunId(request, reservation.runId);
    this.#options.onOutcome('executed');
    try {
      return await this.#settled(request, reservation, next);
    } finally {
      this.#executing.delete(reservation.cacheKey);
      resolve();
    }
  }

  /** Executes, and stores what a retry is to get before the client is answered (HTTP §4 steps 12 to 14). */
  async #settled(
    request: RouteRequest,
    reservation: Reservation,
    next: () => Promise<RouteResponse>,
  ): Promise<RouteResponse> {
    let response: RouteResponse;
    try {
      response = await next();
    } catch (error) {
      const fate = fateOfError(error);
      if (fate !== 'final' || !(error instanceof WoprError)) {
        await this.#giveUp(request, reservation, fate);
        throw error;
      }
      response = errorResponse(error);
    }
    const fate = fateOfStatus(response.status);
    const stored = fate === 'final' ? toStored(response) : null;
    if (stored === null) {
      await this.#giveUp(request, reservation, fate);
      return response;
    }
    const kept = await this.#options.store.finish(reservation, stored);
    if (!kept)
      request.log.warn(
        'an idempotent request took longer than its lease and was executed by another host too',
      );
    return fromStored(stored, false);
  }

  async #giveUp(request: RouteRequest, reservation: Reservation, fate: Fate): Promise<void> {
    try {
      // After an earlier attempt the work may have been done, so the key must not be forgotten, whatever this attempt ran into.
      if (fate === 'release' && !reservation.reclaimed) await this.#options.store.release(reservation);
      else await this.#options.store.unbind(reservation);
    } catch (err) {
      // The reservation lapses with its lease; the caller must learn of the first failure, not of this one.
      request.log.warn({ err }, 'an idempotency key could not be given up');
    }
  }

  /** Until the execution of this process has settled, the time is over, or the client has gone. */
  async #wait(ms: number, local: Execution | undefined, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const time = sleep(ms, undefined, { signal: timer.signal }).catch(() => {});
    await (local ? Promise.race([time, local.done]) : time);
    signal.removeEventListener('abort', stop);
    stop();
    if (signal.aborted)
      throw new WoprError(
        'service_unavailable',
        'The request was given up before the first one with its key had finished.',
      );
  }

  #inFlight(): WoprError {
    this.#options.onOutcome('in_flight');
    return new WoprError(
      'idempotency_in_flight',
      'The first request with this Idempotency-Key is still executing.',
      {
        retryAfterSeconds: 1,
        details: { retryAfter: 1 },
      },
    );
  }

  #mismatch(): WoprError {
    this.#options.onOutcome('mismatch');
    return new WoprError(
      'idempotency_key_mismatch',
      'This Idempotency-Key was used with a different request.',
    );
  }
}

const createsRun = (route: Route) => route.method === 'POST' && route.path === '/v1/runs';
