/** From single check results to what a run says about each scenario, each requirement and the host. Pure. */

import type { Requirement } from './requirements/types.ts';
import { REQUIREMENTS, requirementOf } from './requirements.ts';

/** What a check or requirement came to. A failing SHOULD is a warning. */
export type Verdict = 'passed' | 'failed' | 'warning' | 'not claimed';

export interface CheckResult {
  readonly requirement: string;
  /** What the check observes. */
  readonly what: string;
  readonly verdict: Verdict;
  /** Why it failed, or why it is not claimed. */
  readonly reason?: string;
  readonly durationMs: number;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  /** Why the scenario could not be run at all. */
  readonly error?: string;
}

export interface RequirementResult extends Requirement {
  readonly verdict: Verdict;
  /** Scenarios that cite it. */
  readonly scenarios: readonly string[];
}

export interface Summary {
  readonly proven: number;
  readonly failed: number;
  readonly notClaimed: number;
  readonly warnings: number;
}

export interface Report {
  readonly baseUrl: string;
  /** What the host calls itself in discovery. */
  readonly implementation: Readonly<Record<string, unknown>>;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly scenarios: readonly ScenarioResult[];
  /** Those that the scenarios of this run cite. */
  readonly requirements: readonly RequirementResult[];
  readonly summary: Summary;
  /** True when no MUST failed and every scenario ran. */
  readonly ok: boolean;
}

/** How one test ended, before its level is considered. */
export interface Ending {
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

export function checkResult(
  requirement: string,
  what: string,
  ending: Ending,
  durationMs: number,
): CheckResult {
  const reason = ending.reason === undefined ? {} : { reason: ending.reason };
  return {
    requirement,
    what,
    verdict: verdictOf(ending.state, requirementOf(requirement)),
    ...reason,
    durationMs,
  };
}

function verdictOf(state: Ending['state'], { level }: Requirement): Verdict {
  if (state === 'skipped') return 'not claimed';
  if (state === 'passed') return 'passed';
  return level === 'MUST' ? 'failed' : 'warning';
}

export function scenarioResult(
  scenario: string,
  checks: readonly CheckResult[],
  error?: string,
): ScenarioResult {
  if (error !== undefined) return { scenario, verdict: 'failed', checks, error };
  return { scenario, verdict: combine(checks), checks };
}

/** The worst of several verdicts; what was not claimed only counts when nothing else is there. */
export function combine(results: readonly { readonly verdict: Verdict }[]): Verdict {
  const verdicts = new Set(results.map(({ verdict }) => verdict));
  return (['failed', 'warning', 'passed'] as const).find((verdict) => verdicts.has(verdict)) ?? 'not claimed';
}

export type Circumstances = Pick<Report, 'baseUrl' | 'implementation' | 'startedAt' | 'durationMs'>;

export function buildReport(circumstances: Circumstances, scenarios: readonly ScenarioResult[]): Report {
  const requirements = REQUIREMENTS.flatMap((requirement): RequirementResult[] => {
    const citing = scenarios.filter(({ checks }) =>
      checks.some((check) => check.requirement === requirement.id),
    );
    if (citing.length === 0) return [];
    const checks = citing.flatMap((scenario) =>
      scenario.checks.filter((check) => check.requirement === requirement.id),
    );
    return [{ ...requirement, verdict: combine(checks), scenarios: citing.map(({ scenario }) => scenario) }];
  });
  const count = (verdict: Verdict) =>
    requirements.filter((requirement) => requirement.verdict === verdict).length;
  return {
    ...circumstances,
    scenarios,
    requirements,
    summary: {
      proven: count('passed'),
      failed: count('failed'),
      notClaimed: count('not claimed'),
      warnings: count('warning'),
    },
    ok: scenarios.length > 0 && scenarios.every(({ verdict }) => verdict !== 'failed'),
  };
}
