/**
 * Keeps every open invocation in the queue: offers it, offers it again whenever there is doubt (the server refuses what it has), makes a lost
 * queue anew, and takes out what nobody wants any more.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connection.ts';
import type { QueueNames } from './names.ts';
import type { Pending } from './pending.ts';
import type { Tick } from './tick.ts';
import { ensureQueue } from './topology.ts';
import { type Answer, WorkPublisher } from './work-publisher.ts';

/** How often open invocations are looked at. */
const SWEEP_MS = 250;
/** Most invocations offered again at once. */
const SWEEP_BATCH = 256;
/** First pause after an offer that met an older message of its invocation; it doubles with each. */
const PRESENT_MS = 100;
/** Pause before an accepted invocation is offered again, in case the queue lost it. */
const REASSURE_MS = 30_000;
/** Pause after an offer that may or may not have been stored. */
const UNKNOWN_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** A full queue is asked again for this long: what has just ended may still wait for its acknowledgement. */
const FULL_PATIENCE_MS = 500;
/** Shortest time between two attempts to make a missing stream anew. */
const REPAIR_MS = 5_000;

export interface OffersOptions {
  readonly connection: Connection;
  readonly names: QueueNames;
  readonly config: Pick<NatsConfig, 'maxPending' | 'ackWaitMs'>;
  readonly logger: Logger;
  readonly tick: Tick;
  /** Invocations without an outcome. */
  readonly open: ReadonlyMap<string, Pending>;
  /** The queue is full and holds nothing of this invocation. */
  readonly refuse: (pending: Pending) => void;
}

export class Offers {
  readonly #options: OffersOptions;
  readonly #publisher: WorkPublisher;
  readonly #sweeper: NodeJS.Timeout;
  #nextRepair = 0;

  constructor(options: OffersOptions) {
    this.#options = options;
    this.#publisher = new WorkPublisher(options.connection.nats, ANSWER_TIMEOUT_MS);
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    options.connection.onChange((connected) => {
      if (!connected) return this.#publisher.giveUp();
      // Whatever the server forgot is new to it, the rest it refuses.
      for (const pending of options.open.values()) {
        pending.pause = 0;
        pending.nextOffer = 0;
      }
    });
  }

  offer(pending: Pending): void {
    const { connection, names, tick } = this.#options;
    if (!connection.connected) return; // nothing is buffered: the reconnect offers everything
    pending.offering = true;
    void tick.defer(() => {
      if (!pending.closed)
        this.#publisher.offer(names.workSubject(pending.key), pending.body, (answer) =>
          this.#answered(pending, answer),
        );
    });
  }

  /** Calls off work that nobody waits for: from the worker that executes it and from the queue. Best effort; a late outcome is dropped. */
  withdraw(pending: Pending): void {
    const { connection, names } = this.#options;
    pending.withdrawn = true;
    if (!connection.connected) return;
    connection.nats.publish(names.cancelSubject, pending.key);
    if (pending.sequence !== undefined) this.#deleteMessage(pending.sequence);
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }

  #answered(pending: Pending, answer: Answer): void {
    if (answer.kind === 'stored') {
      pending.sequence = answer.sequence;
      if (pending.withdrawn) this.#deleteMessage(answer.sequence);
    }
    if (pending.closed) return;
    if (answer.kind === 'full' && !pending.accepted && Date.now() - pending.since >= FULL_PATIENCE_MS)
      return this.#options.refuse(pending);
    if (answer.kind === 'unknown' && this.#options.connection.connected) this.#repair(answer.reason);
    pending.accepted ||= answer.kind === 'stored' || answer.kind === 'present';
    pending.pause = nextPause(pending, answer);
    pending.nextOffer = Date.now() + pending.pause;
    pending.offering = false;
  }

  #sweep(): void {
    this.#publisher.expire();
    const now = Date.now();
    let offers = 0;
    for (const pending of this.#options.open.values()) {
      if (pending.offering || pending.nextOffer > now) continue;
      this.offer(pending);
      if (++offers === SWEEP_BATCH) return;
    }
  }

  /** The stream may be missing: deleted, or lost with the server's disk. */
  #repair(reason: string): void {
    if (Date.now() < this.#nextRepair) return;
    this.#nextRepair = Date.now() + REPAIR_MS;
    const { connection, names, config, logger } = this.#options;
    logger.warn({ reason, queue: names.queue }, 'invocations cannot be queued; trying again');
    ensureQueue(connection.nats, names, config).catch((error: unknown) =>
      logger.error({ err: error, queue: names.queue }, 'the queue cannot be made'),
    );
  }

  #deleteMessage(sequence: number): void {
    const { connection, names, logger } = this.#options;
    const deletion = async () => {
      const manager = await jetstreamManager(connection.nats, { checkAPI: false });
      await manager.streams.deleteMessage(names.workStream, sequence, false);
    };
    deletion().catch((error: unknown) =>
      logger.debug({ err: error, sequence }, 'withdrawn invocation is not in the queue any more'),
    );
  }
}

function nextPause({ pause, sequence }: Pending, { kind }: Answer): number {
  switch (kind) {
    case 'stored':
      return REASSURE_MS;
    case 'present':
      // Our own message, or that of an earlier dispatch, perhaps about to be acknowledged: then it is soon gone, and this one needed.
      return sequence === undefined ? Math.min(REASSURE_MS, Math.max(PRESENT_MS, pause * 2)) : REASSURE_MS;
    case 'full':
      return PRESENT_MS;
    case 'unknown':
      return UNKNOWN_MS;
  }
}
