// Idempotency-Key on every mutating route: one execution per key, stored answers for retries (HTTP §8).
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { EntryStore } from './entry-store.ts';
import { Idempotency, type Outcome } from './middleware.ts';

export interface IdempotencyConfig {
  readonly retentionSeconds: number;
  readonly maxEntries: number;
  readonly waitMs: number;
  readonly leaseMs: number;
}

const PURGE_INTERVAL_MS = 10 * 60_000;

export function activate(context: PluginContext<IdempotencyConfig>): void {
  const { config, logger, signal } = context;
  const { retentionSeconds, maxEntries, waitMs, leaseMs } = config;
  const counts = new Map<Outcome, number>();
  const store = new EntryStore({
    database: context.service('database'),
    instanceId: context.service('host').instanceId,
    retentionMs: retentionSeconds * 1000,
    leaseMs,
    maxEntries,
    now: Date.now,
  });
  const idempotency = new Idempotency({
    store,
    waitMs,
    now: Date.now,
    onOutcome: (outcome) => counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
  });
  context.register('middleware', 'idempotency', idempotency);
  context.register('capabilities', 'idempotency', {
    supported: true,
    layer1RetentionSeconds: retentionSeconds,
    crossRegion: 'single-region',
  });
  context.register('metrics', 'wopr_idempotency_requests_total', {
    name: 'wopr_idempotency_requests_total',
    help: 'Requests with an Idempotency-Key, by what became of them.',
    type: 'counter',
    collect: () => [...counts].map(([outcome, value]) => ({ value, labels: { outcome } })),
  });

  const every = (ms: number, label: string, work: () => Promise<unknown>) => {
    const timer = setInterval(() => {
      work().catch((err) => logger.error({ err }, `${label} failed`));
    }, ms);
    timer.unref();
    context.effect(label, () => clearInterval(timer));
  };
  every(Math.floor(leaseMs / 3), 'renewal of idempotency leases', async () => {
    const reservations = idempotency.executing();
    if (reservations.length > 0) await store.renew(reservations);
  });
  every(PURGE_INTERVAL_MS, 'purge of idempotency entries', () => store.purge(signal));
}
