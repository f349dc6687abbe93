/** What `wopr check` and `wopr plugin list|info` show: the plan, without starting anything. */
import type { PluginProblem } from './problems.ts';
import type { PluginManifest } from './types.ts';
import { type PlannedPlugin, type PlanOptions, planPlugins } from './validate.ts';

export interface PluginReport {
  readonly name: string;
  readonly version: string;
  /** Absolute path of plugin.json. */
  readonly path: string;
  readonly state: PlannedPlugin['state'];
  /** Position in the order of activation, from 1; absent unless `ready`. */
  readonly order?: number;
  readonly requires: readonly string[];
  readonly provides: readonly string[];
  readonly problems: readonly PluginProblem[];
  /** Absent when plugin.json is invalid. */
  readonly manifest?: PluginManifest;
}

export interface CheckReport {
  /** Whether a host would boot. Problems of optional plugins do not stop it. */
  readonly ok: boolean;
  readonly plugins: readonly PluginReport[];
  /** Everything that stops the boot. */
  readonly problems: readonly PluginProblem[];
}

/** Discovers and checks all plugins; runs none of their code. */
export function checkPlugins(options: PlanOptions): CheckReport {
  const plan = planPlugins(options);
  const position = new Map(plan.order.map(({ file }, index) => [file, index + 1]));
  const plugins = plan.plugins.map(({ file, state, problems }): PluginReport => {
    const { name, version, path, manifest } = file;
    const order = position.get(file);
    return {
      name,
      version,
      path,
      state,
      ...(order === undefined ? {} : { order }),
      requires: manifest?.requires ?? [],
      provides: manifest?.provides ?? [],
      problems,
      ...(manifest === undefined ? {} : { manifest }),
    };
  });
  return { ok: plan.problems.length === 0, plugins, problems: plan.problems };
}
