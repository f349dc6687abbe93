/** What a subscriber asks for: modes, batching, where to start, and whether as a stream at all (HTTP §5.3, run events §9). */
import type { IncomingHttpHeaders } from 'node:http';
import { WoprError } from '../../kernel/errors.ts';
import type { StreamMode } from '../../kernel/plugin/points/streams.ts';

export const LONGEST_BUFFER_MS = 5000;

/** Modes named by `streamMode`, each once. Errors: `unsupported_stream_mode` for a name or a combination that is not offered. */
export function modesOf(
  value: string | readonly string[] | undefined,
  offered: readonly StreamMode[],
): readonly StreamMode[] {
  const names = new Set([value ?? 'updates'].flat().join(',').split(','));
  const modes = [...names].map((name) => offered.find((mode) => mode.name === name));
  if (modes.some((mode) => mode === undefined))
    throw unsupported('names a mode that is not supported', offered);
  const chosen = modes as StreamMode[];
  const single = chosen.find((mode) => !mode.mixable);
  if (single && chosen.length > 1) throw unsupported(`combines "${single.name}" with other modes`, offered);
  return chosen;
}

/** `bufferMs`, 0 when absent. Errors: `validation_error` outside 0..5000 (run events §17 X2). */
export function bufferMsOf(value: string | readonly string[] | undefined): number {
  if (value === undefined) return 0;
  const ms = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (ms <= LONGEST_BUFFER_MS) return ms;
  const message = `Must be an integer from 0 to ${LONGEST_BUFFER_MS}.`;
  throw new WoprError('validation_error', `bufferMs is not valid: ${message}`, {
    details: { errors: [{ in: 'query', path: '/bufferMs', message }] },
  });
}

/**
 * First sequence to send. A number continues after it; beyond the end it means the end. `<runId>.<n>`, the form of our event ids, counts
 * as n. Anything else starts over (run events §9.7).
 */
export function startOf(
  lastEventId: string | readonly string[] | undefined,
  runId: string,
  nextSequence: number,
): number {
  if (typeof lastEventId !== 'string') return 0;
  const id = lastEventId.trim();
  const digits = id.startsWith(`${runId}.`) ? id.slice(runId.length + 1) : id;
  if (!/^\d+$/.test(digits)) return 0;
  return Math.min(Number(digits) + 1, nextSequence);
}

/** JSON only for a client that names it and not the stream (run events §10.2). */
export function wantsJson({ accept }: IncomingHttpHeaders): boolean {
  if (accept === undefined) return false;
  const types = accept.split(',').map((part) => part.split(';', 1)[0]?.trim().toLowerCase());
  return types.includes('application/json') && !types.includes('text/event-stream');
}

function unsupported(what: string, offered: readonly StreamMode[]): WoprError {
  return new WoprError('unsupported_stream_mode', `streamMode ${what}.`, {
    details: { supported: offered.map(({ name }) => name) },
  });
}
