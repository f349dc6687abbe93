/** Server-sent event frames (run events §9.2): made once per event and mode, however many subscribers there are. */
import type { StreamMode } from '../../kernel/plugin/points/streams.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';

/** Interrupts and the end must not wait for a batching window (run events §9.6). */
const FLUSHING: ReadonlySet<string> = new Set([
  'node.suspended',
  'run.completed',
  'run.failed',
  'run.cancelled',
]);

type Frame = ReturnType<StreamMode['frame']>;

const texts = new WeakMap<StreamMode, WeakMap<RunEventDoc, string>>();

/** One frame per event, from the first mode that shows it; empty when none does. */
export function frameText(event: RunEventDoc, modes: readonly StreamMode[]): string {
  for (const mode of modes) {
    let known = texts.get(mode);
    if (!known) {
      known = new WeakMap();
      texts.set(mode, known);
    }
    let text = known.get(event);
    if (text === undefined) {
      text = toText(event.sequence, mode.frame(event));
      known.set(event, text);
    }
    if (text !== '') return text;
  }
  return '';
}

/** Joins the documents of events into one `batch` frame, whose id is the last one's. */
export class Batch {
  readonly #modes: readonly StreamMode[];
  #documents: string[] = [];
  #last = -1;

  constructor(modes: readonly StreamMode[]) {
    this.#modes = modes;
  }

  get empty(): boolean {
    return this.#documents.length === 0;
  }

  /** True when the batch must go out at once. */
  add(event: RunEventDoc): boolean {
    for (const mode of this.#modes) {
      const frame = mode.frame(event);
      if (!frame) continue;
      this.#documents.push(frame.data);
      this.#last = event.sequence;
      return FLUSHING.has(event.type);
    }
    return false;
  }

  /** The frame of what was collected, which starts the next batch; empty when there is nothing. */
  take(): string {
    if (this.empty) return '';
    const text = toText(this.#last, { event: 'batch', data: `[${this.#documents.join(',')}]` });
    this.#documents = [];
    return text;
  }
}

/** `data` is JSON, so it has no line breaks. */
const toText = (sequence: number, frame: Frame): string =>
  frame ? `id: ${sequence}\nevent: ${frame.event}\ndata: ${frame.data}\n\n` : '';
