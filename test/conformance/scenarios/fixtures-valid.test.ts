/** Advertised fixtures: served, valid, and with the facts clients rely on. */
import { expect } from 'vitest';
import { expectValid } from '../checks.ts';
import { FIXTURES, factsOf, isKnownFixture } from '../fixtures.ts';
import { notClaimed, requirement } from '../harness.ts';
import { advertisedFixtures, fixture, host } from '../host.ts';

requirement('fixture.served', 'each definition is served under its id and fits the schema', async () => {
  const ids = await advertisedFixtures();
  if (ids.length === 0) notClaimed('no fixtures are advertised');
  for (const id of ids) {
    const answer = await host.get(`/v1/workflows/${id}`);
    expect(answer.status, id).toBe(200);
    expect(answer.object.id).toBe(id);
    expectValid('workflow-definition', answer.json);
  }
});

for (const id of Object.keys(FIXTURES).filter(isKnownFixture)) {
  requirement('fixture.facts', `${id} has the known nodes, edges and variables`, async () => {
    const answer = await host.get(`/v1/workflows/${await fixture(id)}`);
    expect(factsOf(answer.object)).toEqual(FIXTURES[id]);
  });
}
