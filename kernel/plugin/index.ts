// Plugins: finding them, checking them before any of their code runs, running and stopping them. Authors import `types.ts`.
export { mergeCapabilities } from './capabilities.ts';
export { type CheckReport, checkPlugins, type PluginReport } from './check.ts';
export { Extensions } from './extensions.ts';
export { PluginHost, type PluginHostOptions } from './loader.ts';
export { PLUGIN_MANIFEST_SCHEMA } from './manifest.ts';
export { type PluginProblem, pluginError } from './problems.ts';
export { type PlanOptions, type PluginPlan, planPlugins } from './validate.ts';
