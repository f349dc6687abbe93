/** `wopr runs`: list, show, events, cancel. */
import type { Command } from 'commander';
import { type CommandContext, EXIT, usageError } from '../../../kernel/commands.ts';
import type { RunSummary } from '../host/client.ts';
import { type HostOptions, hostOptions, withHost } from '../host/connect.ts';
import { colorsOf, examples, printJson, printLines, table } from '../print.ts';
import { plainLine } from '../view/plain.ts';
import { render } from '../view/render.ts';
import { emptyView, fold, type RunView } from '../view/state.ts';
import { duration } from '../view/text.ts';
import { displayFor, exitCodeOf, watch } from '../watch.ts';

const MOST_RUNS = 200;

interface ListOptions extends HostOptions {
  readonly status?: string;
  readonly workflow?: string;
  readonly tag?: string;
  readonly limit: string;
}

export function define(program: Command, context: CommandContext): void {
  const runs = program.command('runs').description('Lists, shows, follows and cancels runs.');
  examples(runs, [
    'wopr runs list --status failed',
    'wopr runs show <run id>',
    'wopr runs events <run id> --follow',
  ]);

  const list = runs
    .command('list')
    .description('Lists runs, newest first.')
    .option('--status <status>', 'only runs with this status: running, completed, failed, …')
    .option('--workflow <id>', 'only runs of this workflow')
    .option('--tag <tag>', 'only runs with this tag')
    .option('-n, --limit <count>', `most runs to list, 1 to ${MOST_RUNS}`, '20')
    .action((options: ListOptions) => listRuns(options, context));
  examples(hostOptions(list), [
    'wopr runs list',
    'wopr runs list --status failed --limit 50',
    'wopr runs list --tag env:test --json',
  ]);

  const show = runs
    .command('show')
    .description('Shows one run: status, steps, outputs or error.')
    .argument('<run>', 'run id')
    .action((runId: string, options: HostOptions) => showRun(runId, options, context));
  examples(hostOptions(show), ['wopr runs show <run id>', 'wopr runs show <run id> --json']);

  const events = runs
    .command('events')
    .description('Prints the events of a run.')
    .argument('<run>', 'run id')
    .option('-f, --follow', 'go on with new events until the run ends')
    .action((runId: string, options: HostOptions & { follow?: boolean }) =>
      printEvents(runId, options, context),
    );
  examples(hostOptions(events), [
    'wopr runs events <run id> --follow',
    'wopr runs events <run id> --json | jq .type',
  ]);

  const cancel = runs
    .command('cancel')
    .description('Cancels a run. One that has ended stays as it is.')
    .argument('<run>', 'run id')
    .option('--reason <text>', 'recorded with the run')
    .action((runId: string, options: HostOptions & { reason?: string }) =>
      cancelRun(runId, options, context),
    );
  examples(hostOptions(cancel), [
    'wopr runs cancel <run id>',
    'wopr runs cancel <run id> --reason "wrong inputs"',
  ]);
}

async function listRuns(options: ListOptions, context: CommandContext): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_RUNS)
    throw usageError(`--limit must be a whole number from 1 to ${MOST_RUNS}.`);
  await withHost(context, options, 'read', async (host) => {
    const page = await host.runs({
      limit,
      ...(options.status === undefined ? {} : { status: options.status }),
      ...(options.workflow === undefined ? {} : { workflowId: options.workflow }),
      ...(options.tag === undefined ? {} : { tag: options.tag }),
    });
    if (context.json) printJson(context, page);
    else if (page.runs.length === 0) printLines(context, ['No runs. Start one: wopr run <workflow> --watch']);
    else printLines(context, runTable(page.runs, context));
  });
}

function runTable(runs: readonly RunSummary[], context: CommandContext): string[] {
  const colors = colorsOf(context);
  const rows = runs.map((run) => [
    run.runId,
    run.workflowId,
    run.status,
    run.createdAt.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
    run.completedAt === undefined
      ? ''
      : duration(Date.parse(run.completedAt) - Date.parse(run.startedAt ?? run.createdAt)),
    run.error?.code ?? '',
  ]);
  const [head = '', ...lines] = table(
    [['RUN', 'WORKFLOW', 'STATUS', 'CREATED', 'TOOK', 'ERROR'], ...rows],
    context.stdout.columns,
  );
  return [colors.bold(head), ...lines];
}

async function showRun(runId: string, options: HostOptions, context: CommandContext): Promise<void> {
  await withHost(context, options, 'read', async (host) => {
    const snapshot = await host.snapshot(runId);
    if (context.json) return printJson(context, snapshot);
    let view = emptyView(runId, snapshot.workflowId, await host.workflow(snapshot.workflowId));
    for await (const event of host.events(runId)) view = fold(view, event);
    const width = context.stdout.columns ?? 120;
    printLines(
      context,
      render(view, { now: Date.now(), width, height: Number.POSITIVE_INFINITY, color: context.color }),
    );
  });
}

async function printEvents(
  runId: string,
  options: HostOptions & { follow?: boolean },
  context: CommandContext,
): Promise<void> {
  await withHost(context, options, 'read', async (host) => {
    const { workflowId } = await host.snapshot(runId);
    const definition = context.json ? undefined : await host.workflow(workflowId);
    if (options.follow === true) {
      const watched = await watch(host, { runId, workflowId, definition }, context, displayFor(context));
      context.exit(watched.interrupted ? EXIT.ok : exitCodeOf(watched));
      return;
    }
    let view: RunView = emptyView(runId, workflowId, definition);
    for await (const event of host.events(runId)) {
      view = fold(view, event);
      if (context.json) printJson(context, event);
      else
        printLines(
          context,
          [plainLine(event, view)].filter((line) => line !== undefined),
        );
    }
  });
}

async function cancelRun(
  runId: string,
  options: HostOptions & { reason?: string },
  context: CommandContext,
): Promise<void> {
  // A stored cancellation is carried out by whoever executes the run; nobody may, so this process can.
  await withHost(context, options, 'execute', async (host) => {
    const status = await host.cancel(runId, options.reason);
    if (context.json) printJson(context, { runId, status });
    else printLines(context, [`run ${runId} ${status}`]);
  });
}
