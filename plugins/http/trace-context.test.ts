import { describe, expect, it } from 'vitest';
import { traceContext } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const WELL_FORMED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

describe('trace context', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, '01'],
    [`00-${TRACE}-${SPAN}-00`, '00'],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-holds`, '01'],
  ])('continues %s with a span of its own', (header, flags) => {
    const { traceId, traceparent } = traceContext(header);
    expect(traceId).toBe(TRACE);
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`));
    expect(traceparent).not.toContain(SPAN);
  });

  it.each([
    undefined,
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}x-${SPAN}-01`,
  ])('starts a trace instead of %s', (header) => {
    const { traceId, traceparent } = traceContext(header);
    expect(traceparent).toMatch(WELL_FORMED);
    expect(traceparent).toContain(traceId);
    expect(traceId).not.toBe(TRACE);
  });

  it('never repeats an id', () => {
    const parents = Array.from({ length: 5_000 }, () => traceContext(undefined).traceparent);
    expect(new Set(parents).size).toBe(parents.length);
    expect(parents.every((parent) => WELL_FORMED.test(parent))).toBe(true);
  });
});
