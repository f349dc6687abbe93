/** One invocation between its dispatch and its outcome, as the host remembers it. */
import type { Invocation, Outcome } from '../../kernel/dispatch/types.ts';

export class Pending {
  readonly key: string;
  readonly invocation: Invocation;
  /** The work message, for offering it again. */
  readonly body: string;
  readonly outcome: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
  /** Epoch ms of the dispatch. */
  readonly since = Date.now();
  /** Callers that still want the outcome. */
  waiters = 0;
  /** The queue holds it. */
  accepted = false;
  /** Stream sequence of the message this dispatch stored. */
  sequence: number | undefined;
  /** An offer is under way. */
  offering = false;
  /** Epoch ms. */
  nextOffer = 0;
  /** Ms between this offer and the next. */
  pause = 0;
  /** The invocation has ended, one way or another. */
  closed = false;
  /** Called off: a message stored after this is deleted. */
  withdrawn = false;
  /** Fires at the deadline. */
  timer: NodeJS.Timeout | undefined;

  constructor(key: string, invocation: Invocation, body: string) {
    this.key = key;
    this.invocation = invocation;
    this.body = body;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}
