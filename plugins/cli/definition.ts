/** Workflow definitions named on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandFailure, EXIT, usageError } from '../../kernel/commands.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { HostClient } from './host/client.ts';

/** Whether the argument means a file: it ends in .json, or contains a path separator. Ids can contain neither. */
export function isFile(argument: string): boolean {
  return /\.json$|[/\\]/.test(argument);
}

/** The parsed file; not validated. Errors: `usage` when it cannot be read or is no JSON. */
export function readDefinition(path: string, cwd: string): unknown {
  const file = resolve(cwd, path);
  let text: string;
  try {
    if (!statSync(file).isFile()) throw usageError(`${path} is not a file.`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'it does not exist'
        : ((error as NodeJS.ErrnoException).code ?? 'unknown reason');
    throw usageError(`Cannot read ${path}: ${reason}.`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw usageError(`${path} is not valid JSON: ${(error as Error).message}.`);
  }
}

/** The definition to run: a file is registered first, an id is looked up. */
export async function definitionFor(
  argument: string,
  host: HostClient,
  cwd: string,
): Promise<WorkflowDefinition> {
  let id = argument;
  if (isFile(argument)) {
    id = (await host.register(readDefinition(argument, cwd))).workflowId;
  }
  const definition = await host.workflow(id);
  if (definition !== undefined) return definition;
  throw new CommandFailure(
    EXIT.failed,
    'validation_error',
    `The host at ${host.address} knows no workflow "${id}".`,
    {
      hint: 'wopr workflow list shows those it knows; a file is named by its path, for example ./hello.json.',
    },
  );
}
