/** The tie between requirements and scenarios: nothing uncited, nothing cited that is not there. Needs no host. */
import { describe, expect, test } from 'vitest';
import { REQUIREMENTS } from './requirements.ts';
import { citedIn, requirementCallsIn, scenarioNames } from './scenarios.ts';

const ids = REQUIREMENTS.map(({ id }) => id);
const cited = new Set(scenarioNames().flatMap(citedIn));

test('no requirement id occurs twice', () => {
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test('every requirement is cited by a scenario', () => {
  expect(ids.filter((id) => !cited.has(id))).toEqual([]);
});

test('every requirement says something once, with its source', () => {
  const texts = REQUIREMENTS.map(({ text }) => text);
  expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
  for (const { id, text, source } of REQUIREMENTS) {
    expect(text, id).toMatch(/^\S.{20,}\.$/);
    expect(source, id).toMatch(/^(HTTP|run events) §\d+(\.\d+)?$/);
    expect(id).toMatch(/^[a-z]+(\.[a-z0-9-]+)+$/);
  }
});

describe.each(scenarioNames())('%s', (name) => {
  test('cites requirements that exist', () => {
    expect(citedIn(name).filter((id) => !ids.includes(id))).toEqual([]);
    expect(citedIn(name).length).toBeGreaterThan(0);
  });

  test('writes every citation as a literal', () => {
    expect(citedIn(name).length).toBe(requirementCallsIn(name));
  });
});
