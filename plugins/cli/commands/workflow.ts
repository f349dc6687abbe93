/** `wopr workflow`: validate, register, list. */
import type { Command } from 'commander';
import { type CommandContext, EXIT } from '../../../kernel/commands.ts';
import type { Finding } from '../../../kernel/runs/types.ts';
import { readDefinition } from '../definition.ts';
import { type HostOptions, hostOptions, withHost } from '../host/connect.ts';
import { colorsOf, examples, printJson, printLines, table } from '../print.ts';
import { printable } from '../view/text.ts';

export function define(program: Command, context: CommandContext): void {
  const workflow = program.command('workflow').description('Validates, registers and lists workflows.');
  examples(workflow, [
    'wopr workflow validate hello.json',
    'wopr workflow register hello.json',
    'wopr workflow list',
  ]);

  const validate = workflow
    .command('validate')
    .description(
      'Checks workflow files completely: schema, graph, node types, conditions. Needs no host and stores nothing.',
    )
    .argument('<files...>', 'JSON files')
    .action((files: readonly string[]) => validateFiles(files, context));
  examples(validate, ['wopr workflow validate hello.json', 'wopr workflow validate workflows/*.json --json']);

  const register = workflow
    .command('register')
    .description(
      'Registers workflow files with the host. Registering the same content again changes nothing.',
    )
    .argument('<files...>', 'JSON files')
    .action((files: readonly string[], options: HostOptions) => registerFiles(files, options, context));
  examples(hostOptions(register), [
    'wopr workflow register hello.json',
    'wopr workflow register hello.json --url http://127.0.0.1:3737',
  ]);

  const list = workflow
    .command('list')
    .description('Lists the newest version of each workflow.')
    .action((options: HostOptions) => listWorkflows(options, context));
  examples(hostOptions(list), ['wopr workflow list', 'wopr workflow list --json']);
}

async function validateFiles(files: readonly string[], context: CommandContext): Promise<void> {
  const kernel = await context.openKernel('tool');
  try {
    const results = files.map((file) => ({
      file,
      ...kernel.services.workflows.validate(readDefinition(file, context.cwd)),
    }));
    const valid = results.every(({ errors }) => errors.length === 0);
    if (context.json) printJson(context, { valid, files: results });
    else for (const result of results) printLines(context, resultLines(result, context));
    context.exit(valid ? EXIT.ok : EXIT.failed);
  } finally {
    await kernel.stop();
  }
}

interface Result {
  readonly file: string;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

function resultLines({ file, errors, warnings }: Result, context: CommandContext): string[] {
  const colors = colorsOf(context);
  const verdict =
    errors.length === 0
      ? colors.green(`✓ ${file} is valid`)
      : colors.red(`✗ ${file}: ${errors.length} to correct`);
  return [
    verdict,
    ...errors.map((finding) => `  ${colors.red('error')}    ${findingText(finding)}`),
    ...warnings.map((finding) => `  ${colors.yellow('warning')}  ${findingText(finding)}`),
  ];
}

function findingText({ path, nodeId, message }: Pick<Finding, 'path' | 'nodeId' | 'message'>): string {
  return printable(
    `${path === '' ? '/' : path}${nodeId === undefined ? '' : ` (node ${nodeId})`}: ${message}`,
  );
}

async function registerFiles(
  files: readonly string[],
  options: HostOptions,
  context: CommandContext,
): Promise<void> {
  await withHost(context, options, 'read', async (host) => {
    for (const file of files) {
      const registered = await host.register(readDefinition(file, context.cwd));
      const { workflowId, version, created, warnings } = registered;
      if (context.json) {
        printJson(context, registered);
        continue;
      }
      printLines(context, [
        `${workflowId} ${version} ${created ? 'registered' : 'was registered already'}`,
        ...warnings.map((warning) => `  warning  ${findingText(warning)}`),
      ]);
    }
  });
}

async function listWorkflows(options: HostOptions, context: CommandContext): Promise<void> {
  await withHost(context, options, 'read', async (host) => {
    const workflows = await host.workflows();
    if (context.json) return printJson(context, { workflows });
    if (workflows.length === 0)
      return printLines(context, ['No workflows. Register one: wopr workflow register <file>']);
    const rows = workflows.map(({ workflowId, version, name, registeredAt }) => [
      workflowId,
      version,
      name,
      registeredAt,
    ]);
    printLines(
      context,
      table([['WORKFLOW', 'VERSION', 'NAME', 'REGISTERED'], ...rows], context.stdout.columns),
    );
  });
}
