/** Runs the scenarios against a host and reports. */
import { fileURLToPath } from 'node:url';
import { HttpClient, isObject } from './client.ts';
import { type ConformanceOptions, UsageError } from './options.ts';
import { buildReport, type Report, type ScenarioResult } from './report.ts';
import { scenarioFile, scenarioNames } from './scenarios.ts';

const CONFIG = fileURLToPath(new URL('./vitest.conformance.config.ts', import.meta.url));

/** No HTTP answer from the host. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The tool the scenarios run on is missing: it is a development dependency. */
export class ToolMissingError extends Error {
  override readonly name = 'ToolMissingError';
}

export interface RunHooks {
  /** Called once the host has answered, before the first scenario. */
  readonly onStart?: () => void;
  /** Called when a scenario has ended, in the order they run. */
  readonly onScenario?: (result: ScenarioResult) => void;
}

/** Errors: UsageError, UnreachableError, ToolMissingError. What the host does wrong is in the report instead. */
export async function runConformance(options: ConformanceOptions, hooks: RunHooks = {}): Promise<Report> {
  const names = selected(options.only ?? []);
  const [vitestNode, { CollectingReporter }] = await tools();
  const startedAt = new Date();
  const implementation = await greet(options);
  hooks.onStart?.();
  const reporter = new CollectingReporter((result) => hooks.onScenario?.(result));
  const vitest = await vitestNode.createVitest({
    config: CONFIG,
    watch: false,
    reporters: [reporter],
    provide: { conformance: options },
  });
  const { exitCode } = process;
  try {
    await vitest.start(names.map(scenarioFile));
  } finally {
    await vitest.close();
    // Vitest sets it for any failing test; whether a failure counts is for the report to say.
    process.exitCode = exitCode;
  }
  const missing = names.filter((name) => !reporter.results.some(({ scenario }) => scenario === name));
  const broken = [...reporter.unhandled, ...missing.map((name) => `The scenario ${name} did not run.`)];
  if (broken.length > 0) throw new Error(broken.join('\n'));
  const durationMs = Date.now() - startedAt.getTime();
  const circumstances = {
    baseUrl: options.baseUrl,
    implementation,
    startedAt: startedAt.toISOString(),
    durationMs,
  };
  return buildReport(circumstances, reporter.results);
}

function selected(only: readonly string[]): string[] {
  const all = scenarioNames();
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`No scenario is called ${unknown.join(', ')}. There are: ${all.join(', ')}.`);
  }
  return only.length === 0 ? all : all.filter((name) => only.includes(name));
}

async function tools() {
  try {
    return await Promise.all([import('vitest/node'), import('./reporter.ts')]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message =
      'The suite runs on Vitest, which is not installed: install the development dependencies (npm ci).';
    throw new ToolMissingError(message, { cause: error });
  }
}

/** Speaks to the host once, so that a wrong address or key is one message and not hundreds of failures. */
async function greet({ baseUrl, apiKey }: ConformanceOptions): Promise<Record<string, unknown>> {
  const client = new HttpClient(baseUrl, apiKey);
  try {
    const answer = await client.get('/.well-known/openwop', { key: null });
    if ((await client.get('/v1/runs/conformance-greeting')).status === 401) {
      throw new UsageError(`The host at ${baseUrl} does not accept the given key.`);
    }
    const document: unknown = answer.status === 200 ? JSON.parse(answer.text) : undefined;
    return isObject(document) && isObject(document.implementation) ? document.implementation : {};
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // An answer that is no JSON is for the scenarios to judge.
    if (error instanceof SyntaxError) return {};
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new UnreachableError(`Cannot reach a host at ${baseUrl}: ${code ?? message}.`, { cause: error });
  }
}
