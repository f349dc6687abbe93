/** Request counts and durations per route: fixed arrays that are only summed up when somebody scrapes. */
import type { Metric, MetricSample } from '../../kernel/plugin/points/operations.ts';

/** Upper bounds of the duration buckets, in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** Numbers of one route. */
export class RouteMetrics {
  readonly method: string;
  readonly path: string;
  readonly #buckets = new Float64Array(BOUNDS.length + 1);
  readonly #statuses = new Map<number, number>();
  #seconds = 0;

  constructor(method: string, path: string) {
    this.method = method;
    this.path = path;
  }

  observe(status: number, seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++;
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#seconds += seconds;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  *durations(): Iterable<MetricSample> {
    const labels = { method: this.method, route: this.path };
    let count = 0;
    for (let i = 0; i <= BOUNDS.length; i++) {
      count += this.#buckets[i] as number;
      yield { series: 'bucket', value: count, labels: { ...labels, le: String(BOUNDS[i] ?? '+Inf') } };
    }
    yield { series: 'sum', value: this.#seconds, labels };
    yield { series: 'count', value: count, labels };
  }

  *counts(): Iterable<MetricSample> {
    for (const [status, value] of this.#statuses) {
      yield { value, labels: { method: this.method, route: this.path, status: String(status) } };
    }
  }
}

/** Numbers of the whole server. Routes keep theirs when their plugin stops, as counters must not go back. */
export class HttpMetrics {
  readonly #routes = new Map<string, RouteMetrics>();
  /** Requests no route took: unknown paths, wrong methods. */
  readonly unmatched = this.route('ANY', 'none');
  inFlight = 0;
  openStreams = 0;
  /** Connections closed at once because too many are open. */
  refusedConnections = 0;

  route(method: string, path: string): RouteMetrics {
    const id = `${method} ${path}`;
    const metrics = this.#routes.get(id) ?? new RouteMetrics(method, path);
    this.#routes.set(id, metrics);
    return metrics;
  }

  /** The metrics this plugin contributes. */
  list(): Metric[] {
    const routes = () => [...this.#routes.values()];
    return [
      {
        name: 'wopr_http_request_duration_seconds',
        help: 'Time from the request head to the end of the response, by route.',
        type: 'histogram',
        collect: () => routes().flatMap((route) => [...route.durations()]),
      },
      {
        name: 'wopr_http_requests_total',
        help: 'Requests answered, by route and status.',
        type: 'counter',
        collect: () => routes().flatMap((route) => [...route.counts()]),
      },
      {
        name: 'wopr_http_requests_in_flight',
        help: 'Requests and streams in progress.',
        type: 'gauge',
        collect: () => [{ value: this.inFlight }],
      },
      {
        name: 'wopr_http_open_streams',
        help: 'Streamed responses in progress.',
        type: 'gauge',
        collect: () => [{ value: this.openStreams }],
      },
      {
        name: 'wopr_http_connections_refused_total',
        help: 'Connections closed at once because maxConnections were open.',
        type: 'counter',
        collect: () => [{ value: this.refusedConnections }],
      },
    ];
  }
}
