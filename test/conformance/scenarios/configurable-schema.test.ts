/** A workflow that narrows its run options: its schema is shown, and checked before a run is accepted. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { isObject } from '../client.ts';
import { requirement } from '../harness.ts';
import { fixture, host } from '../host.ts';
import { runToEnd } from '../runs.ts';

const ID = 'conformance-configurable-schema';

requirement('run.configurable.served', 'the definition comes with its schema', async () => {
  const { configurableSchema } = (await host.get(`/v1/workflows/${await fixture(ID)}`)).object;
  if (!isObject(configurableSchema)) throw new Error('No configurableSchema in the definition.');
  expect(configurableSchema.type).toBe('object');
  expect(Object.keys(configurableSchema.properties ?? {}).sort()).toEqual([
    'maxTokens',
    'model',
    'recursionLimit',
  ]);
});

const FITTING: Readonly<Record<string, Record<string, unknown> | undefined>> = {
  'no options': undefined,
  'empty options': {},
  'options within the bounds': { model: 'small', maxTokens: 100 },
};
for (const [name, configurable] of Object.entries(FITTING)) {
  requirement('run.configurable.accepts', `${name} are accepted`, async () => {
    const { snapshot } = await runToEnd(ID, configurable === undefined ? {} : { configurable });
    expect(snapshot.status).toBe('completed');
    if (configurable?.model !== undefined) expect(snapshot.configurable).toEqual(configurable);
  });
}

const UNFITTING: Readonly<Record<string, Record<string, unknown>>> = {
  'a model outside the list': { model: 'huge' },
  'too many tokens': { maxTokens: 101 },
  'tokens as text': { maxTokens: '10' },
  'a key the schema does not have': { temperature: 0.5 },
};
for (const [name, configurable] of Object.entries(UNFITTING)) {
  requirement('run.configurable.refuses', `${name} is 400 or 422 validation_error`, async () => {
    const answer = await host.post('/v1/runs', { workflowId: await fixture(ID), configurable });
    expectRefusal(answer, { status: [400, 422], code: 'validation_error' });
  });
}
