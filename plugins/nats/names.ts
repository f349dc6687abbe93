/** What things are called on the NATS server: streams, consumer and subjects of one queue. */
import { hash } from 'node:crypto';

export interface QueueNames {
  readonly queue: string;
  /** Work-queue stream with one message per waiting or executing invocation. */
  readonly workStream: string;
  /** Durable consumer of the work stream that every worker pulls from. */
  readonly consumer: string;
  /** Stream that keeps messages no worker could finish. */
  readonly deadStream: string;
  readonly deadSubject: string;
  /** Core subject on which hosts call executing invocations off. */
  readonly cancelSubject: string;
  /** Core subject of outcomes whose host is gone; every host listens, the one that wants the outcome answers. */
  readonly outcomeSubject: string;
  /** Subject of one invocation; the stream keeps at most one message on each. */
  workSubject(key: string): string;
  /** Core subject of outcomes for one running host. */
  outcomeSubjectOf(instance: string): string;
}

/** `prefix` and `queue` consist of letters, digits, `_` and `-`, so they are fit for subjects and for stream names. */
export function queueNames(prefix: string, queue: string): QueueNames {
  return {
    queue,
    workStream: `${prefix}_work_${queue}`,
    consumer: 'workers',
    deadStream: `${prefix}_dead_${queue}`,
    deadSubject: `${prefix}.dead.${queue}`,
    cancelSubject: `${prefix}.cancel.${queue}`,
    outcomeSubject: `${prefix}.outcomes.${queue}`,
    workSubject: (key) => `${prefix}.work.${queue}.${key}`,
    outcomeSubjectOf: (instance) => `${prefix}.outcomes.${queue}.${instance}`,
  };
}

/** The invocation id as a subject token: ids hold characters that subjects may not. */
export function keyOf(invocationId: string): string {
  return hash('sha256', invocationId, 'base64url');
}

/** The key of the invocation that a work message is about, readable even when the message is not. */
export function keyOfSubject(workSubject: string): string {
  return workSubject.slice(workSubject.lastIndexOf('.') + 1);
}
