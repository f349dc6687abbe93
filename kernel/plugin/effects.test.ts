import { expect, it } from 'vitest';
import { Effects } from './effects.ts';

it('lists effects oldest first and undoes each once', async () => {
  const effects = new Effects();
  let undone = 0;
  effects.add('first', () => undefined);
  const dispose = effects.add('second', () => void undone++);
  expect(effects.list()).toEqual(['first', 'second']);
  await Promise.all([dispose(), dispose()]);
  expect(undone).toBe(1);
  expect(effects.list()).toEqual(['first']);
});

it('rejects with what the undo threw, and forgets the effect all the same', async () => {
  const effects = new Effects();
  const dispose = effects.add('bad', () => {
    throw new Error('stuck');
  });
  await expect(dispose()).rejects.toThrow('stuck');
  expect(effects.list()).toEqual([]);
});

it('disposes newest first, one after the other, whatever fails', async () => {
  const effects = new Effects();
  const order: string[] = [];
  const failures: [string, unknown][] = [];
  effects.add('a', () => void order.push('a'));
  effects.add('b', async () => {
    order.push('b begins');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('b ends');
  });
  effects.add('c', () => {
    throw new Error('stuck');
  });
  effects.add('d', () => new Promise(() => undefined));
  await effects.dispose(20, (label, error) => failures.push([label, (error as Error).message]));
  expect(order).toEqual(['b begins', 'b ends', 'a']);
  expect(failures).toEqual([
    ['d', 'did not finish within 20 ms'],
    ['c', 'stuck'],
  ]);
  expect(effects.list()).toEqual([]);
});
