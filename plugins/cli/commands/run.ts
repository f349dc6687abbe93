/** `wopr run`: starts a run and waits for its end. */
import type { Command } from 'commander';
import type { CommandContext } from '../../../kernel/commands.ts';
import { definitionFor } from '../definition.ts';
import type { StartRun } from '../host/client.ts';
import { type HostOptions, hostOptions, withHost } from '../host/connect.ts';
import { parseInputs, parseObject } from '../input.ts';
import { collect, examples, printJson, printLines } from '../print.ts';
import { duration, printable } from '../view/text.ts';
import { displayFor, exitCodeOf, type Watched, watch } from '../watch.ts';

interface RunCommandOptions extends HostOptions {
  readonly input?: readonly string[];
  readonly inputs?: string;
  readonly tag?: readonly string[];
  readonly configurable?: string;
  readonly watch?: boolean;
  readonly detach?: boolean;
}

export function define(program: Command, context: CommandContext): void {
  const command = program
    .command('run')
    .description(
      'Starts a run and waits for its end. Without a host, one is started in this process on the data folder.',
    )
    .argument('<workflow>', 'id of a registered workflow, or path of a JSON file (registered first)')
    .option('-i, --input <name=value>', 'one input, or @file.json for several; may be repeated', collect)
    .option('--inputs <json>', 'all inputs as one JSON object')
    .option('-w, --watch', 'show the steps as they happen')
    .option('-d, --detach', 'return as soon as the run is accepted (with a running host)')
    .option('-t, --tag <tag>', 'tag of the run; may be repeated', collect)
    .option('--configurable <json>', 'run options as a JSON object or @file.json')
    .action((workflow: string, options: RunCommandOptions) => run(workflow, options, context));
  examples(hostOptions(command), [
    'wopr run hello.json --watch',
    'wopr run order-fulfilment --input orderId=A-17 --input items=3 --tag env:test',
    'wopr run hello --inputs \'{"name":"Ada"}\' --json',
  ]).addHelpText(
    'after',
    '\nExit code: 0 completed, 1 failed or cancelled, 2 wrong usage, 3 host not reachable.',
  );
}

async function run(workflow: string, options: RunCommandOptions, context: CommandContext): Promise<void> {
  await withHost(context, options, 'execute', async (host) => {
    const definition = await definitionFor(workflow, host, context.cwd);
    const inputs = parseInputs(
      { input: options.input ?? [], inputs: options.inputs },
      definition.variables,
      context.cwd,
    );
    const request: StartRun = {
      workflowId: definition.id,
      inputs,
      ...(options.tag === undefined ? {} : { tags: options.tag }),
      ...(options.configurable === undefined
        ? {}
        : { configurable: parseObject(options.configurable, '--configurable', context.cwd) }),
    };
    const created = await host.createRun(request);
    if (options.detach === true) {
      if (context.json) printJson(context, created);
      else printLines(context, [created.runId]);
      return;
    }
    const target = { runId: created.runId, workflowId: definition.id, definition };
    const watched = await watch(
      host,
      target,
      context,
      options.watch === true ? displayFor(context) : 'silent',
    );
    if (watched.interrupted) printInterrupted(context, created.runId);
    else if (options.watch !== true && context.json) printJson(context, await host.snapshot(created.runId));
    else if (options.watch !== true) printLines(context, resultLines(watched));
    context.exit(exitCodeOf(watched));
  });
}

function printInterrupted(context: CommandContext, runId: string): void {
  context.stderr.write(
    `Stopped watching. The run is stored and goes on with the next host: wopr serve, then wopr runs events ${runId} --follow\n`,
  );
}

function resultLines({ view }: Watched): string[] {
  const took =
    view.startedAt === undefined || view.endedAt === undefined
      ? ''
      : ` in ${duration(view.endedAt - view.startedAt)}`;
  const first = `run ${view.runId} ${view.status}${took}`;
  if (view.error !== undefined) return [first, printable(`${view.error.code}: ${view.error.message}`)];
  return view.outputs === undefined ? [first] : [first, JSON.stringify(view.outputs, null, 2)];
}
