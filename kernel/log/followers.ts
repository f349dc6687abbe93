/** Followers of runs: each keeps only a cursor; what is new comes from a small shared window of recent events, else from the log. */
import { isTerminalEventType } from '../../schemas/event-types.ts';
import type { RunEventDoc } from './types.ts';

/** Recent events kept per followed run, so that many followers share the same documents. */
const WINDOW = 256;

/** Most events handed out at once. */
const PAGE = 256;

export interface LogReader {
  read(runId: string, fromSequence: number, limit: number): readonly RunEventDoc[];
  position(runId: string): { readonly terminal: boolean; readonly nextSequence: number } | undefined;
}

/** What the followers of one run share. */
interface Channel {
  /** Contiguous, newest last. */
  window: RunEventDoc[];
  followers: number;
  /** Next sequence of the run when the waiting followers were last woken: who waits since has read up to there. */
  woken: number | undefined;
  readonly waiting: Set<() => void>;
}

export class Followers {
  readonly #log: LogReader;
  readonly #channels = new Map<string, Channel>();

  constructor(log: LogReader) {
    this.#log = log;
  }

  /** `EventLog.follow`. Ends at once for a run that does not exist, or has ended before `fromSequence`. */
  async *follow(
    runId: string,
    fromSequence: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RunEventDoc[], void, void> {
    const channel = this.#join(runId);
    let wake = (): void => {};
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort);
    try {
      let cursor = fromSequence;
      while (!signal.aborted) {
        const events = this.#next(runId, channel, cursor);
        const last = events.at(-1);
        if (last) {
          cursor = last.sequence + 1;
          yield events;
          if (isTerminalEventType(last.type)) return;
          continue;
        }
        const position = this.#log.position(runId);
        if (!position || (position.terminal && cursor >= position.nextSequence)) return;
        // No await between reading the log and waiting, so no commit can slip in between unseen.
        await new Promise<void>((resolve) => {
          wake = () => {
            channel.waiting.delete(wake);
            resolve();
          };
          channel.waiting.add(wake);
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      channel.waiting.delete(wake);
      if (--channel.followers === 0) this.#channels.delete(runId);
    }
  }

  /** Events of this process, after their commit, in order. */
  publish(runId: string, events: readonly RunEventDoc[]): void {
    const channel = this.#channels.get(runId);
    if (!channel) return;
    extend(channel, events);
    wakeChannel(channel, (events.at(-1)?.sequence ?? 0) + 1);
  }

  /** Wakes the followers of runs that have events nobody here has seen, or that are gone. */
  wakeChanged(): void {
    for (const [runId, channel] of this.#channels) {
      if (channel.waiting.size === 0) continue;
      const next = this.#log.position(runId)?.nextSequence;
      if (next === undefined || next !== channel.woken) wakeChannel(channel, next);
    }
  }

  #join(runId: string): Channel {
    let channel = this.#channels.get(runId);
    if (!channel) {
      channel = { window: [], followers: 0, woken: undefined, waiting: new Set() };
      this.#channels.set(runId, channel);
    }
    channel.followers += 1;
    return channel;
  }

  #next(runId: string, channel: Channel, cursor: number): readonly RunEventDoc[] {
    const start = channel.window[0]?.sequence;
    if (start !== undefined && cursor >= start && cursor < start + channel.window.length)
      return channel.window.slice(cursor - start);
    const events = this.#log.read(runId, cursor, PAGE);
    extend(channel, events);
    return events;
  }
}

/** Adds what continues the window; events from further on replace it, older ones are for their reader only. */
function extend(channel: Channel, events: readonly RunEventDoc[]): void {
  const first = events[0]?.sequence;
  if (first === undefined) return;
  const end = (channel.window.at(-1)?.sequence ?? -1) + 1;
  if (channel.window.length === 0 || first > end) channel.window = events.slice(-WINDOW);
  else if (first + events.length > end)
    channel.window = [...channel.window, ...events.slice(end - first)].slice(-WINDOW);
}

function wakeChannel(channel: Channel, next: number | undefined): void {
  channel.woken = next;
  for (const wake of [...channel.waiting]) wake();
}
