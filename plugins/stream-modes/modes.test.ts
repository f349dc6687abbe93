import { expect, test, vi } from 'vitest';
import { EVENT_TIERS, RUN_EVENT_TYPES } from '../../schemas/event-types.ts';
import type { RunEventDoc } from '../../schemas/run-event.ts';
import { debug, updates } from './modes.ts';

const event = (type: string): RunEventDoc => ({
  eventId: 'r.3',
  runId: 'r',
  type: type as RunEventDoc['type'],
  payload: { text: 'a\nb' },
  timestamp: '2026-01-02T03:04:05.678Z',
  sequence: 3,
});

test.each(RUN_EVENT_TYPES)('%s: debug shows it, updates if it is one', (type) => {
  const doc = event(type);
  const frame = { event: type, data: JSON.stringify(doc) };
  expect(debug.frame(doc)).toEqual(frame);
  expect(updates.frame(doc)).toEqual(EVENT_TIERS[type].includes('updates') ? frame : null);
});

test('updates has what clients act on and nothing else', () => {
  const shown = RUN_EVENT_TYPES.filter((type) => updates.frame(event(type)) !== null);
  expect(shown).toContain('run.started');
  expect(shown).toContain('node.suspended');
  expect(shown).not.toContain('node.started');
  expect(shown).not.toContain('output.chunk');
});

test('a type of a newer host is for debug only', () => {
  const doc = event('run.teleported');
  expect(debug.frame(doc)?.event).toBe('run.teleported');
  expect(updates.frame(doc)).toBeNull();
});

test('both modes share one serialisation of an event', () => {
  const doc = event('run.started');
  const stringify = vi.spyOn(JSON, 'stringify');
  try {
    expect(debug.frame(doc)?.data).toBe(updates.frame(doc)?.data);
    expect(stringify).toHaveBeenCalledTimes(1);
  } finally {
    stringify.mockRestore();
  }
});
