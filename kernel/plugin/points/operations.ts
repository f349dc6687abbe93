/** Extension points for operators: health checks, metrics, CLI commands, taps on committed events. */
import type { RunEventDoc } from '../../../schemas/run-event.ts';

export interface HealthCheck {
  readonly name: string;
  /** `failed` takes the host out of readiness; `degraded` is shown only. Must answer quickly and from memory. */
  check(): { readonly status: 'ok' | 'degraded' | 'failed'; readonly detail?: string };
}

/** A metric read on scrape. Names follow Prometheus: `wopr_<what>_<unit>`. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  collect(): readonly MetricSample[];
}

export interface MetricSample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Histograms only: cumulative `bucket` with the label `le`, `sum` or `count`. */
  readonly series?: 'bucket' | 'sum' | 'count';
}

/** Observes committed events, in order per run. Must not throw and must not block. */
export interface EventTap {
  readonly name: string;
  observe(runId: string, events: readonly RunEventDoc[]): void;
}
