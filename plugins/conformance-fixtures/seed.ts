/** Registers the fixture definitions this host can run. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { WoprError } from '../../kernel/errors.ts';
import type { WorkflowService } from '../../kernel/runs/types.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';

export interface SeedOptions {
  readonly folder: string;
  readonly workflows: WorkflowService;
  readonly nodeTypes: ReadonlySet<string>;
  readonly logger: Logger;
}

/**
 * Registers every `*.json` of the folder for all tenants, verbatim, and returns the ids that can be run, sorted. Definitions with node
 * types this host lacks are left out, so that later plugins bring their fixtures to life; so are those the host refuses.
 */
export async function seedFixtures({ folder, workflows, nodeTypes, logger }: SeedOptions): Promise<string[]> {
  const seeded: string[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()) {
    const definition = JSON.parse(await readFile(join(folder, file), 'utf8')) as WorkflowDefinition;
    const missing = definition.nodes.map(({ typeId }) => typeId).filter((typeId) => !nodeTypes.has(typeId));
    if (missing.length > 0) {
      logger.debug({ file, missing: [...new Set(missing)] }, 'fixture left out: node types are missing');
      continue;
    }
    try {
      const { workflow } = await workflows.register(definition, null);
      seeded.push(workflow.workflowId);
    } catch (error) {
      if (!(error instanceof WoprError)) throw error;
      logger.warn(
        { file, code: error.code, details: error.details },
        'fixture left out: the host refuses it',
      );
    }
  }
  return seeded.sort();
}
