// GET /v1/runs/{runId}/events: the events of a run as a server-sent event stream, or as one JSON document.
import { Type } from 'typebox';
import { WoprError } from '../../kernel/errors.ts';
import type { Route, RouteRequest } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { Id128 } from '../../schemas/common.ts';
import { callerOf, visibleRun } from '../runs-api/contract.ts';
import { jsonEvents } from './json-events.ts';
import { bufferMsOf, LONGEST_BUFFER_MS, modesOf, startOf, wantsJson } from './request.ts';
import { EventStream } from './stream.ts';

export interface StreamSseConfig {
  readonly keepAliveMs: number;
  readonly retryMs: number;
  readonly maxStreams: number;
}

const BUSY_RETRY_SECONDS = 5;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies that buffer would hold frames back.
  'x-accel-buffering': 'no',
};

/** What `streamMode` may be is checked here, not by the schema: its error names the modes this host offers. */
const Query = Type.Object(
  {
    streamMode: Type.Optional(
      Type.String({ default: 'updates', description: 'A mode, or several joined by commas.' }),
    ),
    bufferMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LONGEST_BUFFER_MS,
        description: 'Batching window in ms; 0 is off.',
      }),
    ),
  },
  { additionalProperties: true },
);

export function activate(context: PluginContext<StreamSseConfig>): void {
  const { config } = context;
  const runs = context.service('runs');
  const open = new Set<EventStream>();
  let draining = false;

  async function* tracked(stream: EventStream): AsyncGenerator<string, void, void> {
    if (draining) stream.end();
    open.add(stream);
    try {
      yield* stream.chunks();
    } finally {
      open.delete(stream);
    }
  }

  const handle: Route['handle'] = (request: RouteRequest) => {
    const { streamMode, bufferMs: window } = request.query;
    const offered = context.contributions('streamModes').map(({ value }) => value);
    const modes = modesOf(streamMode, offered);
    const bufferMs = bufferMsOf(window);
    const { runId, tenantId } = visibleRun(runs, callerOf(request), request.params.runId ?? '');
    if (wantsJson(request.headers)) return jsonEvents(runs, runId, tenantId);
    if (open.size >= config.maxStreams) {
      throw new WoprError('rate_limited', 'Too many event streams are open.', {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
        details: { scope: 'global', limit: config.maxStreams },
      });
    }
    const from = startOf(request.headers['last-event-id'], runId, runs.get(runId, tenantId).nextSequence);
    const stream = new EventStream({
      modes,
      follow: (signal) => runs.follow(runId, tenantId, from, signal),
      keepAliveMs: config.keepAliveMs,
      retryMs: config.retryMs,
      bufferMs,
      signal: request.signal,
    });
    return { status: 200, headers: HEADERS, stream: tracked(stream) };
  };

  context.register('routes', 'GET /v1/runs/{runId}/events', {
    method: 'GET',
    path: '/v1/runs/{runId}/events',
    operationId: 'streamRunEvents',
    summary: 'Follow the events of a run',
    tags: ['events'],
    scopes: ['runs:read'],
    params: Type.Object({ runId: Id128 }),
    query: Query,
    responses: {
      200: {
        description:
          'Backlog, then live events, until the run ends; with "Accept: application/json" the whole log so far as {events, isComplete}.',
        contentType: 'text/event-stream',
      },
      400: { description: 'Unsupported streamMode (details.supported lists the modes) or bufferMs.' },
      404: { description: 'No such run is visible to this key.' },
    },
    handle,
  });
  context.register('metrics', 'wopr_event_streams', {
    name: 'wopr_event_streams',
    help: 'Open event streams.',
    type: 'gauge',
    collect: () => [{ value: open.size }],
  });
  const endAll = () => {
    draining = true;
    for (const stream of open) stream.end();
  };
  context.onDrain(endAll);
  context.effect('open event streams', endAll);
}
