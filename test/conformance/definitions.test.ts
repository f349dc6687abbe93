/** The fixture definitions that ship with this host keep the facts the scenarios rely on. Needs no host. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemsOf, validatorFor } from '../../schemas/validators.ts';
import { FIXTURES, factsOf, isKnownFixture } from './fixtures.ts';

const FOLDER = new URL('../../plugins/conformance-fixtures/definitions/', import.meta.url);
const ids = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
const definitionOf = (id: string) => JSON.parse(readFileSync(new URL(`${id}.json`, FOLDER), 'utf8'));

test('every known fixture has a definition', () => {
  expect(ids).toEqual(expect.arrayContaining(Object.keys(FIXTURES)));
});

describe.each(ids.filter(isKnownFixture))('%s', (id) => {
  test('is valid and keeps its facts', () => {
    const definition = definitionOf(id);
    expect(problemsOf(validatorFor('workflow-definition', { allErrors: true }), definition)).toBeNull();
    expect(definition.id).toBe(id);
    expect(factsOf(definition)).toEqual(FIXTURES[id]);
  });
});
