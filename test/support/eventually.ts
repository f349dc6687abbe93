// Waiting in tests for something another part of the host does in its own time.
import { expect } from 'vitest';

/** `expect` on what `read` returns, tried again until it holds; fails after a time no healthy machine needs. */
export const eventually = <T>(read: () => T) => expect.poll(read, { interval: 20, timeout: 20_000 });
