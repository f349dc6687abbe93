import { expect, it } from 'vitest';
import { newRunId } from './run-id.ts';

it('gives unique ids in the order they were asked for, whatever the clock does', () => {
  const now = Date.now() + 1000;
  const ids = [0, 0, 1, -50, 1, 2].flatMap((step) =>
    Array.from({ length: 30_000 }, () => newRunId(now + step)),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  for (const id of [ids[0], ids.at(-1)]) expect(id).toMatch(/^run_[0-9a-f]{32}$/);
});
