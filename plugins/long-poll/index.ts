// GET /v1/runs/{runId}/events/poll: events of a run for clients that cannot hold a stream.
import { Type } from 'typebox';
import { WoprError } from '../../kernel/errors.ts';
import type { RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { Id128 } from '../../schemas/common.ts';
import { EventPage, PollQuery } from '../../schemas/poll.ts';
import { callerOf, visibleRun } from '../runs-api/contract.ts';
import { available, awaited } from './poll.ts';

export interface LongPollConfig {
  readonly maxWaiting: number;
}

const DEFAULT_TIMEOUT_SECONDS = 30;
const LONGEST_TIMEOUT_SECONDS = 60;
const BUSY_RETRY_SECONDS = 5;

export function activate(context: PluginContext<LongPollConfig>): void {
  const { maxWaiting } = context.config;
  const runs = context.service('runs');
  const waiting = new Set<AbortController>();
  let draining = false;

  /** Waits until events come, the time is over, the client has gone or the host stops. */
  async function wait(
    request: RouteRequest,
    work: (signal: AbortSignal) => Promise<EventPage>,
    seconds: number,
  ): Promise<EventPage> {
    if (waiting.size >= maxWaiting) {
      throw new WoprError('rate_limited', 'Too many polls are waiting.', {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
        details: { scope: 'global', limit: maxWaiting },
      });
    }
    const controller = new AbortController();
    const stop = () => controller.abort();
    const timer = setTimeout(stop, seconds * 1000);
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted || draining) stop();
    waiting.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
      waiting.delete(controller);
    }
  }

  context.register('routes', 'GET /v1/runs/{runId}/events/poll', {
    method: 'GET',
    path: '/v1/runs/{runId}/events/poll',
    operationId: 'pollRunEvents',
    summary: 'Read events of a run, waiting for new ones',
    tags: ['events'],
    scopes: ['runs:read'],
    params: Type.Object({ runId: Id128 }),
    query: PollQuery,
    responses: {
      200: { description: 'Events after lastSequence, all of them, in log order.', schema: EventPage },
      404: { description: 'No such run is visible to this key.' },
    },
    async handle(request) {
      const from = integer(request, 'lastSequence', -1, 0, Number.MAX_SAFE_INTEGER) + 1;
      const seconds = integer(request, 'timeout', DEFAULT_TIMEOUT_SECONDS, 1, LONGEST_TIMEOUT_SECONDS);
      const { runId, tenantId } = visibleRun(runs, callerOf(request), request.params.runId ?? '');
      const body =
        available(runs, runId, tenantId, from) ??
        (await wait(request, (signal) => awaited(runs, runId, tenantId, from, signal), seconds));
      return { status: 200, body };
    },
  });
  context.register('metrics', 'wopr_waiting_polls', {
    name: 'wopr_waiting_polls',
    help: 'Polls waiting for events.',
    type: 'gauge',
    collect: () => [{ value: waiting.size }],
  });
  const endAll = () => {
    draining = true;
    for (const controller of waiting) controller.abort();
  };
  context.onDrain(endAll);
  context.effect('waiting polls', endAll);
}

/** A query parameter as an integer. Errors: `validation_error`. */
function integer(request: RouteRequest, name: string, absent: number, min: number, max: number): number {
  const value = request.query[name];
  if (value === undefined) return absent;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  const message = `Must be an integer from ${min} to ${max}.`;
  throw new WoprError('validation_error', `${name} is not valid: ${message}`, {
    details: { errors: [{ in: 'query', path: `/${name}`, message }] },
  });
}
