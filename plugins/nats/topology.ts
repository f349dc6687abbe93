/** The streams and the consumer of a queue: made when missing, checked when they exist. */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { WoprError } from '../../kernel/errors.ts';
import type { NatsConfig } from './config.ts';
import type { QueueNames } from './names.ts';

/** The dead-letter stream forgets its oldest messages beyond this. */
const MOST_DEAD = 10_000;
const DEAD_MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000;
const STREAM_NAME_IN_USE = 10058;

/**
 * Makes the queue usable. Safe to call from every host and worker at once. What an operator changed afterwards (replicas, placement) stays;
 * the queue bound and the ack wait follow the configuration. Errors: `config_invalid` when a stream of that name is something else.
 */
export async function ensureQueue(
  nats: NatsConnection,
  names: QueueNames,
  { maxPending, ackWaitMs }: Pick<NatsConfig, 'maxPending' | 'ackWaitMs'>,
): Promise<void> {
  const manager = await jetstreamManager(nats);
  await ensureStream(manager, {
    name: names.workStream,
    subjects: [names.workSubject('*')],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    max_msgs: maxPending,
    discard: DiscardPolicy.New,
    // The de-duplication: an invocation is refused for as long as its message is in the queue.
    max_msgs_per_subject: 1,
    discard_new_per_subject: true,
  });
  await ensureStream(manager, {
    name: names.deadStream,
    subjects: [names.deadSubject],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_msgs: MOST_DEAD,
    max_age: DEAD_MAX_AGE_MS * 1e6,
    discard: DiscardPolicy.Old,
  });
  await manager.consumers.add(names.workStream, {
    durable_name: names.consumer,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: ackWaitMs * 1e6,
    // Workers count deliveries themselves: a message that the server gave up would stay in the queue unseen.
    max_deliver: -1,
    max_ack_pending: -1,
  });
}

type NamedStream = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'max_msgs'>;

async function ensureStream(manager: JetStreamManager, wanted: NamedStream): Promise<void> {
  try {
    await manager.streams.add(wanted);
    return;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
  }
  const { config } = await manager.streams.info(wanted.name);
  for (const key of ['retention', 'discard', 'max_msgs_per_subject', 'discard_new_per_subject'] as const) {
    if (wanted[key] === undefined || config[key] === wanted[key]) continue;
    throw new WoprError(
      'config_invalid',
      `plugins.nats.config: stream "${wanted.name}" exists with ${key} ${String(config[key])} instead of ${String(wanted[key])}; use another prefix or queue.`,
    );
  }
  if (config.max_msgs !== wanted.max_msgs)
    await manager.streams.update(wanted.name, { ...config, max_msgs: wanted.max_msgs });
}
