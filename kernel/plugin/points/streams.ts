/** Extension point of event streams: how committed events become frames of one stream mode (runs and events §9). */
import type { RunEventDoc } from '../../../schemas/run-event.ts';

export interface StreamMode {
  /** Name as in `?streamMode=`. */
  readonly name: string;
  /** May be combined with other modes in a comma list. */
  readonly mixable: boolean;
  /** `data` of every frame is the event document itself, so frames may be joined into a `batch` (runs and events §9.6). */
  readonly batchable?: boolean;
  /** Frame for an event, or null when this mode does not show it. */
  frame(event: RunEventDoc): { readonly event: string; readonly data: string } | null;
}
