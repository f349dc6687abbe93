// Workflow definitions: registering and reading them over HTTP, and from the folder <data dir>/workflows.
import { join } from 'node:path';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { WorkflowFolder } from './folder.ts';
import { getWorkflowRoute, listWorkflowsRoute, registerWorkflowRoute } from './routes.ts';

export interface WorkflowsApiConfig {
  readonly bodyLimitBytes: number;
  readonly watch: boolean;
}

export function activate(context: PluginContext<WorkflowsApiConfig>): void {
  const { config, logger } = context;
  const workflows = context.service('workflows');

  for (const route of [
    listWorkflowsRoute(workflows),
    registerWorkflowRoute(workflows, config.bodyLimitBytes),
    getWorkflowRoute(workflows),
  ])
    context.register('routes', `${route.method} ${route.path}`, route);

  const folder = new WorkflowFolder({
    path: join(context.service('host').dataDir, 'workflows'),
    workflows,
    logger,
    maxBytes: config.bodyLimitBytes,
  });
  context.effect('workflow folder', () => folder.close());
  context.register('healthChecks', 'workflow-files', {
    name: 'workflow-files',
    check: () => folder.health(),
  });
  // Not earlier: definitions are checked against the node types of every plugin.
  context.onReady(async () => {
    if (config.watch) await folder.watch();
    await folder.load();
  });
}
