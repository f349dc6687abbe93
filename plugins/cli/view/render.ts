/** The live view of a run: state in, terminal lines out. Pure, so it can be tested without a terminal. */
import { createColors } from 'picocolors';
import type { NodeState, NodeView, RunView } from './state.ts';
import { cell, columns, duration, fit, printable } from './text.ts';

export interface RenderOptions {
  /** Epoch ms; running durations count up to it. */
  readonly now: number;
  /** Terminal columns; no line is wider. */
  readonly width: number;
  /** Most lines to return; steps beyond are summarised. */
  readonly height: number;
  readonly color: boolean;
  /** Said on the last line while the run goes on, e.g. that the connection is lost. */
  readonly notice?: string;
}

type Colors = ReturnType<typeof createColors>;
type Paint = (text: string) => string;

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const MARKS: Readonly<Record<Exclude<NodeState, 'running'>, string>> = {
  pending: '·',
  waiting: '◷',
  retrying: '↻',
  completed: '✓',
  failed: '✗',
  skipped: '↷',
  cancelled: '⊘',
};
const NAME_COLUMNS = 34;
const LEAST_TIME_COLUMNS = 8;

/** Lines for the run as it stands at `now`. */
export function render(view: RunView, options: RenderOptions): string[] {
  const colors = createColors(options.color);
  const head = heading(view, options, colors);
  const foot = footer(view, options, colors);
  const room = Math.max(1, options.height - head.length - foot.length);
  const { shown, hidden } = choose(view.nodes, room);
  const nameWidth = Math.min(
    NAME_COLUMNS,
    Math.max(1, ...shown.map((node) => columns(printable(node.name)))),
  );
  const timeWidth = Math.max(LEAST_TIME_COLUMNS, ...shown.map((node) => timing(node, options.now).length));
  const lines = shown.map((node) => nodeLine(node, { name: nameWidth, time: timeWidth }, options, colors));
  if (hidden.length > 0) lines.push(colors.dim(fit(`  … ${summary(hidden)}`, options.width)));
  return [...head, ...lines, ...foot];
}

function heading(view: RunView, { now, width }: RenderOptions, colors: Colors): string[] {
  const elapsed = view.startedAt === undefined ? '' : `  ${duration((view.endedAt ?? now) - view.startedAt)}`;
  const title = fit(printable(view.title), Math.max(8, width - 2 - columns(elapsed)));
  const mark = view.endedAt === undefined ? spinner(now) : '▸';
  const run = fit(`run ${printable(view.runId)}`, Math.max(0, width - columns(title) - columns(elapsed) - 4));
  return [
    `${colors.cyan(mark)} ${colors.bold(title)}${run === '' ? '' : `  ${colors.dim(run)}`}${colors.dim(elapsed)}`,
  ];
}

function nodeLine(
  node: NodeView,
  widths: { readonly name: number; readonly time: number },
  { now, width }: RenderOptions,
  colors: Colors,
): string {
  const paint = paintOf(node.state, colors);
  const mark = node.state === 'running' ? spinner(now) : MARKS[node.state];
  const name = cell(printable(node.name), Math.min(widths.name, Math.max(0, width - 4)));
  const left = 4 + columns(name);
  if (width < left + 1 + widths.time) return `  ${paint(mark)} ${name}`;
  const time = timing(node, now).padStart(widths.time);
  const note = fit(noteOf(node), Math.max(0, width - left - widths.time - 3));
  const painted = node.state === 'pending' || node.state === 'skipped' ? colors.dim(name) : name;
  return `  ${paint(mark)} ${painted} ${colors.dim(time)}${note === '' ? '' : `  ${paint(note)}`}`.trimEnd();
}

function timing(node: NodeView, now: number): string {
  if (node.since === undefined) return '';
  const elapsed = duration((node.until ?? now) - node.since);
  return node.state === 'waiting' && node.plannedMs !== undefined
    ? `${elapsed} / ${duration(node.plannedMs)}`
    : elapsed;
}

function noteOf(node: NodeView): string {
  const parts: string[] = [];
  if (node.executions > 1) parts.push(`round ${node.executions}`);
  if (node.attempt > 1)
    parts.push(node.state === 'completed' ? `after ${node.attempt} attempts` : `attempt ${node.attempt}`);
  if (node.state === 'retrying') parts.push('will retry');
  if (node.state === 'skipped') parts.push('skipped');
  // A note of an earlier attempt is history once the node has completed.
  if (node.note !== undefined && node.state !== 'completed') parts.push(printable(node.note));
  return parts.join(', ');
}

function footer(view: RunView, options: RenderOptions, colors: Colors): string[] {
  const { width } = options;
  const recovered =
    view.recoveries === 0 ? '' : `, recovered ${view.recoveries === 1 ? 'once' : `${view.recoveries} times`}`;
  const took =
    view.startedAt === undefined || view.endedAt === undefined
      ? ''
      : ` in ${duration(view.endedAt - view.startedAt)}`;
  switch (view.status) {
    case 'completed': {
      const outputs =
        view.outputs === undefined || Object.keys(view.outputs).length === 0
          ? []
          : [outputLine(view, width, colors)];
      return [colors.green(fit(`✓ completed${took}${recovered}`, width)), ...outputs];
    }
    case 'failed':
      return [
        colors.red(fit(`✗ failed${took}${recovered}`, width)),
        ...(view.error === undefined
          ? []
          : [colors.red(fit(`  ${view.error.code}: ${printable(view.error.message)}`, width))]),
      ];
    case 'cancelled':
      return [colors.yellow(fit(`⊘ cancelled${took}${recovered}`, width))];
    default:
      return [colors.dim(fit(options.notice ?? `  ${view.status}${recovered}`, width))];
  }
}

function outputLine(view: RunView, width: number, colors: Colors): string {
  return colors.dim(fit(printable(`  outputs ${JSON.stringify(view.outputs)}`), width));
}

/** Which steps to show when not all fit: what is going on or went wrong first, then the latest finished, then what is still to come. */
function choose(
  nodes: readonly NodeView[],
  room: number,
): { shown: readonly NodeView[]; hidden: readonly NodeView[] } {
  if (nodes.length <= room) return { shown: nodes, hidden: [] };
  const byUrgency = [...nodes].sort((a, b) => urgency(b) - urgency(a) || (b.until ?? 0) - (a.until ?? 0));
  const kept = new Set(byUrgency.slice(0, Math.max(0, room - 1)));
  return { shown: nodes.filter((node) => kept.has(node)), hidden: nodes.filter((node) => !kept.has(node)) };
}

function urgency({ state }: NodeView): number {
  if (state === 'failed') return 4;
  if (state === 'running' || state === 'retrying' || state === 'waiting') return 3;
  return state === 'completed' ? 2 : state === 'pending' ? 1 : 0;
}

function summary(nodes: readonly NodeView[]): string {
  const counts = Map.groupBy(nodes, ({ state }) => state);
  return [...counts].map(([state, members]) => `${members.length} ${state}`).join(', ');
}

function paintOf(state: NodeState, colors: Colors): Paint {
  const paints: Readonly<Record<NodeState, Paint>> = {
    pending: colors.dim,
    running: colors.cyan,
    waiting: colors.blue,
    retrying: colors.yellow,
    completed: colors.green,
    failed: colors.red,
    skipped: colors.dim,
    cancelled: colors.yellow,
  };
  return paints[state];
}

function spinner(now: number): string {
  return SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length] ?? '';
}
