/** Prometheus text: metrics of the process and those plugins contribute. */
import { collectDefaultMetrics, type Metric as PromMetric, Registry } from 'prom-client';
import type { Metric, MetricSample } from '../../kernel/plugin/points/operations.ts';

// Observers of the event loop and the garbage collector cannot be taken back, so there is one set per process, not per activation.
let ofProcess: Registry | undefined;

function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A metric that throws is left out and reported to `onError`. */
export async function renderMetrics(
  metrics: readonly Metric[],
  onError: (name: string, error: unknown) => void,
): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) {
    try {
      registry.registerMetric(snapshot(metric));
    } catch (error) {
      onError(metric.name, error);
    }
  }
  return `${await processMetrics().metrics()}\n${await registry.metrics()}`;
}

/** What the registry asks of a metric, without prom-client's own counting: ours are read, not fed. */
function snapshot(metric: Metric): PromMetric {
  const { name, help, type } = metric;
  const values = metric.collect().map(({ value, labels = {}, series }: MetricSample) => ({
    value,
    labels,
    ...(series && { metricName: `${name}_${series}` }),
  }));
  const view = { name, help, type, aggregator: 'sum', values };
  return { name, get: async () => view } as unknown as PromMetric;
}
