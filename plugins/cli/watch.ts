/** Follows a run and shows it: redrawn in place on a terminal, plain lines when piped, events as JSON lines with --json. */
import { type CommandContext, EXIT } from '../../kernel/commands.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { HostClient } from './host/client.ts';
import { printJson, printLines } from './print.ts';
import { Painter } from './view/painter.ts';
import { plainLine } from './view/plain.ts';
import { render } from './view/render.ts';
import { emptyView, fold, type RunView } from './view/state.ts';

const FRAME_MS = 80;
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

/** How one way of showing a run reacts to what happens. */
interface Display {
  event(event: RunEventDoc, view: RunView): void;
  lost(lost: boolean): void;
  end(view: RunView): void;
}

export type DisplayKind = 'live' | 'plain' | 'json' | 'silent';

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
  const display = displays[kind](context, () => view);
  try {
    const options = { onLost: (lost: boolean) => display.lost(lost) };
    for await (const event of host.follow(target.runId, 0, abort.signal, options)) {
      view = fold(view, event);
      display.event(event, view);
    }
  } finally {
    release();
    display.end(view);
  }
  return { view, interrupted: abort.signal.aborted && view.endedAt === undefined };
}

/** 0 completed, 1 failed or cancelled, 130 when the user stopped watching. */
export function exitCodeOf({ view, interrupted }: Watched): number {
  if (interrupted) return INTERRUPTED;
  return view.status === 'completed' ? EXIT.ok : EXIT.failed;
}

const displays: Readonly<Record<DisplayKind, (context: CommandContext, view: () => RunView) => Display>> = {
  live: liveDisplay,
  plain: (context) => ({
    event(event, view) {
      const line = plainLine(event, view);
      if (line !== undefined) printLines(context, [line]);
    },
    lost: (lost) => printLines(context, [lost ? LOST : FOUND]),
    end: () => {},
  }),
  json: (context) => ({
    event: (event) => printJson(context, event),
    lost: () => {},
    end: () => {},
  }),
  silent: () => ({ event: () => {}, lost: () => {}, end: () => {} }),
};

const LOST = '  connection to the host lost, trying again';
const FOUND = '  connection to the host is back';

function liveDisplay(context: CommandContext, current: () => RunView): Display {
  const { stdout } = context;
  const painter = new Painter(stdout);
  let notice: string | undefined;
  const draw = () => {
    const { width, height } = painter;
    const options = {
      now: Date.now(),
      width,
      height,
      color: context.color,
      ...(notice === undefined ? {} : { notice }),
    };
    painter.paint(render(current(), options));
  };
  // A timer paints, not each event: a burst of events costs one frame.
  const timer = setInterval(draw, FRAME_MS);
  stdout.on?.('resize', draw);
  draw();
  return {
    event: () => {},
    lost(lost) {
      notice = lost ? LOST : undefined;
    },
    end() {
      clearInterval(timer);
      stdout.off?.('resize', draw);
      draw();
      painter.end();
    },
  };
}
