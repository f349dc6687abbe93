/** Every requirement the suite proves, as data. Scenarios cite the ids; `gate.test.ts` compares both sides. */
import { AUTH_REQUIREMENTS } from './requirements/auth.ts';
import { DISCOVERY_REQUIREMENTS } from './requirements/discovery.ts';
import { DISTURBANCE_REQUIREMENTS } from './requirements/disturbance.ts';
import { EVENT_REQUIREMENTS } from './requirements/events.ts';
import { HTTP_REQUIREMENTS } from './requirements/http.ts';
import { IDEMPOTENCY_REQUIREMENTS } from './requirements/idempotency.ts';
import { RUN_REQUIREMENTS } from './requirements/runs.ts';
import type { Requirement } from './requirements/types.ts';

const ALL = [
  ...HTTP_REQUIREMENTS,
  ...AUTH_REQUIREMENTS,
  ...DISCOVERY_REQUIREMENTS,
  ...IDEMPOTENCY_REQUIREMENTS,
  ...RUN_REQUIREMENTS,
  ...DISTURBANCE_REQUIREMENTS,
  ...EVENT_REQUIREMENTS,
] as const;

export type RequirementId = (typeof ALL)[number]['id'];

export const REQUIREMENTS: readonly Requirement[] = ALL;

const byId = new Map(REQUIREMENTS.map((requirement) => [requirement.id, requirement]));

/** The requirement with this id. Throws for an unknown one. */
export function requirementOf(id: string): Requirement {
  const found = byId.get(id);
  if (found === undefined) throw new Error(`No requirement has the id "${id}".`);
  return found;
}
