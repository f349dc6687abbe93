/** Run ids: `run_` + 12 hex digits of epoch ms + 20 random hex digits. Ordered by creation time, so new runs land together in the store. */
import { randomBytes } from 'node:crypto';

const POOL_BYTES = 10 * 512;
let pool = Buffer.alloc(0);

export function newRunId(now: number): string {
  // One system call for many ids.
  if (pool.length < 10) pool = randomBytes(POOL_BYTES);
  const random = pool.toString('hex', 0, 10);
  pool = pool.subarray(10);
  return `run_${now.toString(16).padStart(12, '0')}${random}`;
}
