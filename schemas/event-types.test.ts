import { expect, test } from 'vitest';
import {
  EVENT_TIERS,
  isRunEventType,
  isTerminalEventType,
  RUN_EVENT_TYPES,
  type RunEventType,
  type StreamTier,
} from './event-types.ts';

const typesIn = (tier: StreamTier): RunEventType[] =>
  RUN_EVENT_TYPES.filter((type) => EVENT_TIERS[type].includes(tier));

test('there are 47 distinct types, each with its tiers', () => {
  expect(new Set(RUN_EVENT_TYPES).size).toBe(47);
  expect(Object.keys(EVENT_TIERS)).toEqual([...RUN_EVENT_TYPES]);
});

test('a noop run shows exactly start, node completion and completion as updates', () => {
  const log: RunEventType[] = ['run.started', 'node.started', 'node.completed', 'run.completed'];
  expect(log.filter((type) => EVENT_TIERS[type].includes('updates'))).toEqual([
    'run.started',
    'node.completed',
    'run.completed',
  ]);
});

test('snapshots follow every update, and node.started', () => {
  expect(typesIn('values').sort()).toEqual([...typesIn('updates'), 'node.started'].sort());
});

test('only output chunks are messages', () => {
  expect(typesIn('messages')).toEqual(['output.chunk']);
});

test('type guards', () => {
  expect(RUN_EVENT_TYPES.filter(isTerminalEventType)).toEqual([
    'run.completed',
    'run.failed',
    'run.cancelled',
  ]);
  expect(isRunEventType('node.started')).toBe(true);
  expect(isRunEventType('run.replay.started')).toBe(false);
});
