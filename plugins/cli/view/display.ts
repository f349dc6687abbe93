/** Ways to show a run as its events arrive: redrawn in place on a terminal, plain lines, JSON lines, or not at all. */
import type { Output } from '../../../kernel/commands.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import { Painter } from './painter.ts';
import { plainLine } from './plain.ts';
import { render } from './render.ts';
import type { RunView } from './state.ts';

export type DisplayKind = 'live' | 'plain' | 'json' | 'silent';

export interface Display {
  /** `view` is the state after `event`. */
  event(event: RunEventDoc, view: RunView): void;
  /** The connection to the host was lost (`true`) or is back (`false`). */
  lost(lost: boolean): void;
  /** Lines of text between the events. */
  say(lines: readonly string[]): void;
  /** Shows the last state and gives the terminal back. */
  end(): void;
}

export interface DisplayOptions {
  readonly stdout: Output;
  readonly color: boolean;
  /** The state to draw; asked for on every frame. */
  readonly current: () => RunView;
}

const FRAME_MS = 80;
const LOST = '  connection to the host lost, trying again';
const FOUND = '  connection to the host is back';

export function createDisplay(kind: DisplayKind, options: DisplayOptions): Display {
  const { stdout } = options;
  const print = (lines: readonly string[]) => void stdout.write(lines.map((line) => `${line}\n`).join(''));
  const nothing: Display = { event: () => {}, lost: () => {}, say: () => {}, end: () => {} };
  switch (kind) {
    case 'live':
      return liveDisplay(options);
    case 'plain':
      return {
        event(event, view) {
          const line = plainLine(event, view);
          if (line !== undefined) print([line]);
        },
        lost: (lost) => print([lost ? LOST : FOUND]),
        say: print,
        end: () => {},
      };
    case 'json':
      return { ...nothing, event: (event) => print([JSON.stringify(event)]) };
    case 'silent':
      return nothing;
  }
}

function liveDisplay({ stdout, color, current }: DisplayOptions): Display {
  const painter = new Painter(stdout);
  let notice: string | undefined;
  const draw = () => {
    const { width, height } = painter;
    painter.paint(
      render(current(), {
        now: Date.now(),
        width,
        height,
        color,
        ...(notice === undefined ? {} : { notice }),
      }),
    );
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
    say: (lines) => painter.above(lines),
    end() {
      clearInterval(timer);
      stdout.off?.('resize', draw);
      draw();
      painter.end();
    },
  };
}
