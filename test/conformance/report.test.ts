import { expect, test } from 'vitest';
import { buildReport, checkResult, scenarioResult } from './report.ts';

const circumstances = {
  baseUrl: 'http://host',
  implementation: {},
  startedAt: '2030-01-01T00:00:00Z',
  durationMs: 1,
};
const check = (id: string, state: 'passed' | 'failed' | 'skipped') =>
  checkResult(id, 'what', { state, reason: 'why' }, 1);

test('a failing MUST fails the scenario and the report', () => {
  const failing = scenarioResult('a', [check('auth.missing', 'passed'), check('auth.missing', 'failed')]);
  expect(failing.verdict).toBe('failed');
  expect(buildReport(circumstances, [failing])).toMatchObject({
    ok: false,
    summary: { proven: 0, failed: 1 },
  });
});

test('a failing SHOULD is a warning', () => {
  const warned = scenarioResult('a', [check('auth.scope-detail', 'failed'), check('auth.missing', 'passed')]);
  expect(warned.verdict).toBe('warning');
  expect(buildReport(circumstances, [warned])).toMatchObject({
    ok: true,
    summary: { proven: 1, warnings: 1 },
  });
});

test('what is not claimed is never counted as proven', () => {
  const skipped = scenarioResult('a', [check('auth.scope', 'skipped')]);
  expect(skipped.verdict).toBe('not claimed');
  expect(buildReport(circumstances, [skipped])).toMatchObject({
    ok: true,
    summary: { proven: 0, notClaimed: 1 },
  });
});

test('a requirement cited by two scenarios has the worse verdict of both', () => {
  const scenarios = [
    scenarioResult('a', [check('event.terminal-last', 'passed')]),
    scenarioResult('b', [check('event.terminal-last', 'failed')]),
    scenarioResult('c', [check('event.terminal-last', 'skipped')]),
  ];
  const { requirements } = buildReport(circumstances, scenarios);
  expect(requirements).toMatchObject([
    { id: 'event.terminal-last', verdict: 'failed', scenarios: ['a', 'b', 'c'] },
  ]);
});

test('a scenario that cannot be loaded fails the report, and so does one with nothing run', () => {
  expect(buildReport(circumstances, [scenarioResult('a', [], 'syntax error')]).ok).toBe(false);
  expect(buildReport(circumstances, []).ok).toBe(false);
});
