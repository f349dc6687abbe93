/**
 * Run ids: `run_`, 12 hex digits of epoch ms, 4 of a counter within the ms, 16 random ones. Ordered by creation within a process, so
 * listings are newest first and new runs land together in the store.
 */
import { randomBytes } from 'node:crypto';

const RANDOM_BYTES = 8;
const POOL_BYTES = RANDOM_BYTES * 512;
const MAX_COUNT = 0xffff;

let pool = Buffer.alloc(0);
let lastMs = 0;
let count = 0;

/** `now`: epoch ms. A clock that stands still or runs backwards does not break the order. */
export function newRunId(now: number): string {
  if (now > lastMs) {
    lastMs = now;
    count = 0;
  } else if (count < MAX_COUNT) count += 1;
  else {
    lastMs += 1;
    count = 0;
  }
  // One system call for many ids.
  if (pool.length < RANDOM_BYTES) pool = randomBytes(POOL_BYTES);
  const random = pool.toString('hex', 0, RANDOM_BYTES);
  pool = pool.subarray(RANDOM_BYTES);
  return `run_${hex(lastMs, 12)}${hex(count, 4)}${random}`;
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
