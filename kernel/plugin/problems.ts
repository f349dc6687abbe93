/** What can be wrong with plugins, collected so that all of it is reported together. */
import { type ErrorCode, WoprError } from '../errors.ts';

/** When it went wrong. Up to `relations` nothing of the plugin has run yet. */
export type PluginStep =
  | 'discover'
  | 'manifest'
  | 'config'
  | 'relations'
  | 'load'
  | 'activate'
  | 'ready'
  | 'serve';

export interface PluginProblem {
  /** Name of the plugin, or the path of a manifest that does not tell it. */
  readonly plugin: string;
  readonly step: PluginStep;
  readonly code: ErrorCode;
  /** Complete sentences for the operator. */
  readonly message: string;
}

/** One error for all problems: the code of the first, every message, and `details.problems` with each on its own. */
export function pluginError(problems: readonly PluginProblem[], cause?: unknown): WoprError {
  const [first] = problems;
  if (first === undefined) throw new RangeError('pluginError needs at least one problem');
  const list = problems.map(({ message }) => `- ${message}`).join('\n');
  const message =
    problems.length === 1 ? first.message : `${problems.length} problems with plugins:\n${list}`;
  const details = { problems: problems.map((problem) => ({ ...problem })) };
  return new WoprError(first.code, message, cause === undefined ? { details } : { details, cause });
}
