/** Collects what Vitest reports, as scenario results. Prints nothing. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { type CheckResult, checkResult, type Ending, type ScenarioResult, scenarioResult } from './report.ts';
import { scenarioOf } from './scenarios.ts';

export class CollectingReporter implements Reporter {
  readonly results: ScenarioResult[] = [];
  /** Errors outside of any test; a run with one cannot be trusted. */
  readonly unhandled: string[] = [];
  readonly #onScenario: (result: ScenarioResult) => void;

  constructor(onScenario: (result: ScenarioResult) => void) {
    this.#onScenario = onScenario;
  }

  onTestModuleEnd(module: TestModule): void {
    const checks = [...module.children.allTests()].map(resultOf);
    const errors = module.errors().map(({ message }) => message);
    if (checks.length === 0 && errors.length === 0) errors.push('The scenario has no checks.');
    const error = errors.length === 0 ? undefined : errors.join('\n');
    const result = scenarioResult(scenarioOf(module.moduleId), checks, error);
    this.results.push(result);
    this.#onScenario(result);
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { readonly message: string }[]): void {
    this.unhandled.push(...errors.map(({ message }) => message));
  }
}

function resultOf(test: TestCase): CheckResult {
  const { requirement } = test.meta();
  if (requirement === undefined) throw new Error(`The check "${test.fullName}" cites no requirement.`);
  return checkResult(requirement, test.name, endingOf(test), test.diagnostic()?.duration ?? 0);
}

function endingOf(test: TestCase): Ending {
  const { state, ...result } = test.result();
  if (state === 'passed') return { state };
  if (state === 'skipped')
    return { state, reason: 'note' in result ? (result.note ?? 'skipped') : 'skipped' };
  const messages = result.errors?.map(({ message }) => message) ?? [];
  return { state: 'failed', reason: messages.join('\n') || 'The check did not finish.' };
}
