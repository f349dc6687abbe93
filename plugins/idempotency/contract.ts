/** What other plugins may use of the idempotency layer. */
import type { RouteRequest } from '../../kernel/plugin/points/http.ts';

const reserved = new WeakMap<RouteRequest, string>();

/**
 * The run id stored with the reservation of this request's Idempotency-Key, or undefined for requests without a key. Creating the run
 * under this id makes a retry find it, even if the process died between creating the run and storing the answer (HTTP §8.4).
 */
export function reservedRunId(request: RouteRequest): string | undefined {
  return reserved.get(request);
}

/** For the idempotency plugin itself. */
export function setReservedRunId(request: RouteRequest, runId: string): void {
  reserved.set(request, runId);
}
