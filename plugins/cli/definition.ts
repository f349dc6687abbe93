/** Workflow definitions named on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CommandFailure, EXIT, usageError } from '../../kernel/commands.ts';
import { WoprError } from '../../kernel/errors.ts';
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

/**
 * The definition to run: an id is looked up, a file is registered. Runs take the newest version, so a file whose content is another one
 * becomes a version of its own (`1.0+edited.<time>`) on the data folder of this process; a host that others use refuses it instead.
 */
export async function definitionFor(
  argument: string,
  host: HostClient,
  cwd: string,
): Promise<WorkflowDefinition> {
  if (isFile(argument)) return registerToRun(readDefinition(argument, cwd) as WorkflowDefinition, host);
  const definition = await host.workflow(argument);
  if (definition !== undefined) return definition;
  throw new CommandFailure(
    EXIT.failed,
    'validation_error',
    `The host at ${host.address} knows no workflow "${argument}".`,
    {
      hint: 'wopr workflow list shows those it knows; a file is named by its path, for example ./hello.json.',
    },
  );
}

async function registerToRun(definition: WorkflowDefinition, host: HostClient): Promise<WorkflowDefinition> {
  const other = await host.register(definition).then(
    async () => {
      const newest = await host.workflow(definition.id);
      return isDeepStrictEqual(newest, definition) ? undefined : newest?.version;
    },
    (error: unknown) => {
      if (!isConflict(error)) throw error;
      return definition.version;
    },
  );
  if (other === undefined) return definition;
  if (!host.isLocal) {
    throw new CommandFailure(
      EXIT.failed,
      'conflict',
      `The host at ${host.address} would run its version ${other} of "${definition.id}", which is not this file.`,
      { hint: 'Raise "version" in the file, or run the registered workflow by its id.' },
    );
  }
  const edited = {
    ...definition,
    version: `${definition.version}+edited.${new Date().toISOString().replace(/[-:.]/g, '')}`,
  };
  await host.register(edited);
  return edited;
}

function isConflict(error: unknown): boolean {
  return (error instanceof CommandFailure || error instanceof WoprError) && error.code === 'conflict';
}
