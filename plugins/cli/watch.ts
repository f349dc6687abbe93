/** Follows a run to its end, or until the user has seen enough. */
import { type CommandContext, EXIT } from '../../kernel/commands.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { HostClient } from './host/client.ts';
import { createDisplay, type DisplayKind } from './view/display.ts';
import { emptyView, fold, type RunView } from './view/state.ts';

const INTERRUPTED = 130;

export interface WatchTarget {
  readonly runId: string;
  readonly workflowId: string;
  /** Names the steps, and shows those still to come. */
  readonly definition?: WorkflowDefinition | undefined;
}

export interface Watched {
  readonly view: RunView;
  /** The user stopped watching; the run itself goes on. */
  readonly interrupted: boolean;
}

/** What suits the output: JSON lines if asked for, in place on a terminal, else plain lines. */
export function displayFor(context: CommandContext): DisplayKind {
  if (context.json) return 'json';
  return context.stdout.isTTY === true ? 'live' : 'plain';
}

/** Follows the run to its end, or until SIGINT or SIGTERM. */
export async function watch(
  host: HostClient,
  target: WatchTarget,
  context: CommandContext,
  kind: DisplayKind,
): Promise<Watched> {
  const abort = new AbortController();
  const release = context.onSignal(() => abort.abort());
  let view = emptyView(target.runId, target.workflowId, target.definition);
  const display = createDisplay(kind, { stdout: context.stdout, color: context.color, current: () => view });
  try {
    const options = { onLost: (lost: boolean) => display.lost(lost) };
    for await (const event of host.follow(target.runId, 0, abort.signal, options)) {
      view = fold(view, event);
      display.event(event, view);
    }
  } finally {
    release();
    display.end();
  }
  return { view, interrupted: abort.signal.aborted && view.endedAt === undefined };
}

/** 0 completed, 1 failed or cancelled, 130 when the user stopped watching. */
export function exitCodeOf({ view, interrupted }: Watched): number {
  if (interrupted) return INTERRUPTED;
  return view.status === 'completed' ? EXIT.ok : EXIT.failed;
}
