/** W3C trace context: takes over the caller's trace or starts one, and names our span (HTTP §3). */
import { randomBytes } from 'node:crypto';

export interface TraceContext {
  /** 32 hex digits; also the correlation id of errors and log lines. */
  readonly traceId: string;
  /** Value of the `traceparent` response header. */
  readonly traceparent: string;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

/** Continues the caller's trace with a span of our own; a missing or malformed header starts a new trace. */
export function traceContext(header: string | undefined): TraceContext {
  const [, version, traceId, parentId, flags, rest] = (header === undefined ? null : FORM.exec(header)) ?? [];
  const usable =
    traceId !== undefined &&
    traceId !== ZERO_TRACE &&
    parentId !== ZERO_SPAN &&
    version !== 'ff' &&
    // Version 00 ends after the flags; later ones may add fields.
    (version !== '00' || rest === undefined);
  const id = usable ? traceId : randomHex(32);
  return { traceId: id, traceparent: `00-${id}-${randomHex(16)}-${usable ? flags : '01'}` };
}

// Hex digits are drawn from the operating system in blocks: one call per request would cost more than all of the above.
const BLOCK_BYTES = 4096;
let block = '';
let used = 0;

function randomHex(digits: number): string {
  if (used + digits > block.length) {
    block = randomBytes(BLOCK_BYTES).toString('hex');
    used = 0;
  }
  used += digits;
  return block.slice(used - digits, used);
}
