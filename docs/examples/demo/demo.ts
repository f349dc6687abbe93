/**
 * The demo: a real host runs a real workflow, is killed in the middle, is started again, and the run finishes as if nothing had happened.
 * `npm run demo`. Exit code 0 only if everything held.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { HttpHost } from '../../../plugins/cli/host/http.ts';
import { createDisplay, type Display } from '../../../plugins/cli/view/display.ts';
import { emptyView, fold } from '../../../plugins/cli/view/state.ts';
import { duration, printable } from '../../../plugins/cli/view/text.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';
import { HostProcess } from './host-process.ts';
import { verify } from './verify.ts';

const WORKFLOW = new URL('./order-fulfilment.json', import.meta.url);
const TIME_LIMIT_MS = 55_000;
const onTerminal = process.stdout.isTTY === true;
const colors = createColors(onTerminal && !process.env.NO_COLOR);

const folder = mkdtempSync(join(tmpdir(), 'wopr-demo-'));
const host = await HostProcess.prepare(folder);
const abort = new AbortController();
const overdue = setTimeout(
  () => abort.abort(new Error('The demo did not end within a minute.')),
  TIME_LIMIT_MS,
);
process.on('SIGINT', () => abort.abort(new Error('Interrupted.')));
process.on('SIGTERM', () => abort.abort(new Error('Interrupted.')));

let kept = true;
try {
  kept = !(await demo());
} catch (error) {
  say([colors.red(error instanceof Error ? error.message : String(error))]);
} finally {
  clearTimeout(overdue);
  await host.kill();
  if (kept) say([colors.dim(`Data and log of the host are kept in ${folder}.`)]);
  else rmSync(folder, { recursive: true, force: true });
  process.exitCode = kept ? 1 : 0;
}

/** Returns whether everything held. */
async function demo(): Promise<boolean> {
  const begun = Date.now();
  say([
    '',
    colors.bold('1. Start a host'),
    '   An ordinary "wopr serve" with a data folder of its own, and a plugin with two node types.',
  ]);
  await host.start();
  say([
    `   ${colors.green('✓')} ready at ${host.url} after ${duration(Date.now() - begun)}, process ${host.pid}`,
  ]);

  const client = new HttpHost(host.url, host.key);
  const definition = JSON.parse(readFileSync(WORKFLOW, 'utf8')) as WorkflowDefinition;
  say(['', colors.bold('2. Register a workflow and run it')]);
  const registered = await client.register(definition);
  say([
    `   ${colors.green('✓')} ${registered.workflowId} ${registered.version}: ${definition.nodes.length} steps, ${definition.edges.length} edges`,
  ]);
  const inputs = { orderId: 'A-1017', total: 74.9, express: true };
  const { runId } = await client.createRun({ workflowId: registered.workflowId, inputs });
  say([
    `   ${colors.green('✓')} run ${runId}`,
    '',
    colors.bold('3. Watch it, and pull the plug in the middle'),
  ]);

  const seen = await watchAndKill(client, runId, definition);

  say(['', colors.bold('4. What the event log says')]);
  const log: RunEventDoc[] = [];
  for await (const event of client.events(runId)) log.push(event);
  const findings = verify(log, seen);
  say(eventSummary(log));
  say(
    findings.map(({ what, held }) =>
      held ? `   ${colors.green('✓')} ${what}` : `   ${colors.red('✗')} not true: ${what}`,
    ),
  );
  await host.stop();

  const held = findings.every((finding) => finding.held);
  say([
    '',
    held
      ? colors.green(colors.bold(`Everything held, in ${duration(Date.now() - begun)}.`))
      : colors.red('Something did not hold.'),
  ]);
  if (held) say(tryNext());
  return held;
}

/** Shows the run live. Kills the host once the card is charged while the rest is still going on, and starts it again. */
async function watchAndKill(
  client: HttpHost,
  runId: string,
  definition: WorkflowDefinition,
): Promise<RunEventDoc[]> {
  let view = emptyView(runId, definition.id, definition);
  const seen: RunEventDoc[] = [];
  const display = createDisplay(onTerminal ? 'live' : 'plain', {
    stdout: process.stdout,
    color: colors.isColorSupported,
    current: () => view,
  });
  let crash: Promise<void> | undefined;
  try {
    const onLost = (lost: boolean) => display.lost(lost);
    for await (const event of client.follow(runId, 0, abort.signal, { onLost })) {
      seen.push(event);
      view = fold(view, event);
      display.event(event, view);
      const remark = remarkOn(event);
      if (remark !== undefined) display.say([colors.cyan(`   ${remark}`)]);
      if (event.type === 'node.completed' && event.nodeId === 'charge' && crash === undefined) {
        crash = crashAndRestart(display);
        // A restart that failed must end the demo, not only the process it could not start.
        crash.catch((error: unknown) => abort.abort(error));
      }
    }
    await crash;
    abort.signal.throwIfAborted();
    if (crash === undefined) throw new Error('The run ended before the host could be killed.');
  } finally {
    display.end();
  }
  return seen;
}

async function crashAndRestart(display: Display): Promise<void> {
  display.say([
    colors.red(`   ⚡ kill -9 ${host.pid}: the host is gone; a lamp is half picked, a courier is on the way`),
  ]);
  await host.kill();
  const begun = Date.now();
  await host.start();
  display.say([
    colors.green(
      `   ✓ started again on the same data folder after ${duration(Date.now() - begun)}, process ${host.pid}`,
    ),
    colors.dim('     it may take the run over once the claim of the dead host has expired'),
  ]);
}

/** A line for the steps that show something. */
function remarkOn(event: RunEventDoc): string | undefined {
  const key = `${event.type} ${event.nodeId ?? ''}`;
  const remarks: Readonly<Record<string, string>> = {
    'node.completed split': 'parallel: the card, two shelves, the courier and a label at the same time',
    'node.skipped label-standard': 'condition: an express order, so the standard label is skipped',
    'node.retried charge': 'retry: the card network did not answer; the step is tried again after a pause',
    'run.resumed ':
      'recovery: the second host took the run over; finished steps stay finished, the lamp is picked again',
    'node.completed courier':
      'durable timer: the courier arrived when promised, although the host was away meanwhile',
    'node.completed hand-over': 'merge: everything came together',
  };
  return Object.hasOwn(remarks, key) ? remarks[key] : undefined;
}

function eventSummary(log: readonly RunEventDoc[]): string[] {
  const counts = Map.groupBy(log, ({ type }) => type);
  const text = [...counts].map(([type, events]) => `${events.length} ${type}`).join(', ');
  const last = log.at(-1)?.payload;
  const outputs = typeof last === 'object' && last !== null && 'outputs' in last ? last.outputs : null;
  return [`   ${log.length} events: ${text}`, colors.dim(`   outputs ${printable(JSON.stringify(outputs))}`)];
}

function tryNext(): string[] {
  return [
    '',
    'Try next',
    '   npx wopr run docs/examples/hello.json --input name=Ada --watch',
    '   npx wopr run docs/examples/wait-and-see.json --watch      then Ctrl-C, and: npx wopr serve',
    '   npx wopr --help',
    '   docs/examples/demo/order-fulfilment.json is the workflow, docs/examples/demo/plugin its node types',
  ];
}

function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
