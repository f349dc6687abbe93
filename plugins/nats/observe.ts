/** What operators see of the dispatcher: whether it is connected, and its numbers. Read from memory. */
import type { HealthCheck, Metric } from '../../kernel/plugin/points/operations.ts';
import type { NatsDispatcher } from './dispatcher.ts';

type Current = () => NatsDispatcher | undefined;

/** Without the server the host still takes and keeps runs, only their nodes wait: degraded, not failed. */
export function natsHealth(current: Current): HealthCheck {
  return {
    name: 'nats',
    check() {
      const dispatcher = current();
      if (!dispatcher) return { status: 'ok', detail: 'not used for dispatch' };
      if (dispatcher.connected) return { status: 'ok' };
      return { status: 'degraded', detail: 'not connected to the NATS server; nodes wait' };
    },
  };
}

/** No samples while another dispatcher is in use. */
export function natsMetrics(current: Current): Metric[] {
  const metric = (
    name: string,
    type: Metric['type'],
    help: string,
    samples: (dispatcher: NatsDispatcher) => ReturnType<Metric['collect']>,
  ): Metric => ({
    name,
    type,
    help,
    collect: () => {
      const dispatcher = current();
      return dispatcher ? samples(dispatcher) : [];
    },
  });
  return [
    metric('wopr_nats_connected', 'gauge', '1 while connected to the NATS server.', ({ connected }) => [
      { value: connected ? 1 : 0 },
    ]),
    metric(
      'wopr_nats_invocations_open',
      'gauge',
      'Invocations without an outcome, by state.',
      (dispatcher) => {
        const { inFlight, queued } = dispatcher.stats();
        return [
          { value: inFlight, labels: { state: 'accepted' } },
          { value: queued, labels: { state: 'offered' } },
        ];
      },
    ),
    metric('wopr_nats_dispatched_total', 'counter', 'Invocations offered to the queue.', ({ counters }) => [
      { value: counters.dispatched },
    ]),
    metric(
      'wopr_nats_refused_total',
      'counter',
      'Invocations refused because the queue was full.',
      ({ counters }) => [{ value: counters.refused }],
    ),
    metric('wopr_nats_outcomes_total', 'counter', 'Outcomes received from workers.', ({ counters }) => [
      { value: counters.accepted, labels: { receipt: 'accepted' } },
      { value: counters.dropped, labels: { receipt: 'dropped' } },
    ]),
  ];
}
