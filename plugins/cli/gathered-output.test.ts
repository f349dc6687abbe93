import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gathered } from './gathered-output.ts';

describe('gathered output', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function open() {
    const written: string[] = [];
    return { written, output: gathered({ write: (text) => void written.push(text) }) };
  }

  it('writes many lines at once, in order, after a moment', () => {
    const { written, output } = open();
    output.write('a\n');
    output.write('b\n');
    expect(written).toEqual([]);
    vi.runAllTimers();
    expect(written).toEqual(['a\nb\n']);
  });

  it('does not wait once much has been gathered', () => {
    const { written, output } = open();
    output.write('x'.repeat(70_000));
    expect(written).toHaveLength(1);
  });

  it('flushes what is left, once', () => {
    const { written, output } = open();
    output.write('last\n');
    output.flush();
    output.flush();
    vi.runAllTimers();
    expect(written).toEqual(['last\n']);
  });
});
