/** How scenarios are written: `requirement` ties a check to the requirement it proves, `notClaimed` steps aside. */
import { inject, test } from 'vitest';
import type { ConformanceOptions } from './options.ts';
import { type RequirementId, requirementOf } from './requirements.ts';

declare module 'vitest' {
  interface ProvidedContext {
    conformance: ConformanceOptions;
  }
  interface TaskMeta {
    requirement?: RequirementId;
  }
}

/** The host does not advertise what the check is about, or the caller gave no means to run it. */
class NotClaimed extends Error {
  override readonly name = 'NotClaimed';
}

/** Ends the check with the status "not claimed". */
export function notClaimed(reason: string): never {
  throw new NotClaimed(reason);
}

export interface CheckOptions {
  /** Longest time this check may take; 60 s when absent. */
  readonly timeoutMs?: number;
}

/**
 * One check of one requirement. `what` says what is observed, in the words of a report line. A check that throws has failed: for
 * a MUST that is a failure of the host, for a SHOULD a warning.
 */
export function requirement(
  id: RequirementId,
  what: string,
  check: () => Promise<void>,
  options: CheckOptions = {},
): void {
  // Fails the scenario while it is loaded, not in the middle of it.
  requirementOf(id);
  test(what, {
    meta: { requirement: id },
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  }, async ({ skip }) => {
    try {
      await check();
    } catch (error) {
      if (error instanceof NotClaimed) skip(error.message);
      throw error;
    }
  });
}

/** Work that several checks of a scenario look at: done once, by whoever asks first; its failure fails all of them. */
export function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What the caller of the suite said. */
export const options: ConformanceOptions = inject('conformance');
