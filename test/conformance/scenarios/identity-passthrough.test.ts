/** What goes in comes out: inputs become variables, and the identity node changes nothing. */
import { expect } from 'vitest';
import { expectRefusal } from '../checks.ts';
import { requirement } from '../harness.ts';
import { fixture, host } from '../host.ts';
import { ofType, runIdOf, runToEnd, waitForTerminal } from '../runs.ts';

const PAYLOADS: Readonly<Record<string, unknown>> = {
  'an empty object': {},
  'every JSON type': {
    text: 'a',
    number: -1.5e10,
    whole: 9007199254740991,
    yes: true,
    no: false,
    nothing: null,
    list: [1, 'b', null],
    object: { a: {} },
  },
  'unusual text': {
    text: 'ünïcödé 漢字 🦉 \u0000 \u2028 "quoted" \\ </script>',
    '': 'empty key',
    'a.b/c~d': 1,
  },
  'names of built-in members': { constructor: 1, toString: 'x', hasOwnProperty: null },
  'twenty levels': Array.from({ length: 20 }).reduce((inner) => ({ inner }), 'bottom'),
  'a list of a thousand': { list: Array.from({ length: 1000 }, (_, index) => ({ index })) },
};

for (const [name, payload] of Object.entries(PAYLOADS)) {
  const text = canonical(payload);

  requirement('run.identity.variables', `${name} is in variables.payload`, async () => {
    const { snapshot } = await runToEnd('conformance-identity', { inputs: { payload } });
    expect(snapshot.status).toBe('completed');
    expect(canonical(snapshot.variables?.payload)).toBe(text);
  });

  requirement('run.identity.output', `${name} is the output payload of the node`, async () => {
    const { events } = await runToEnd('conformance-identity', { inputs: { payload } });
    const outputs = ofType(events, 'node.completed').map(
      (event) => event.payload.outputs as Record<string, unknown>,
    );
    expect(outputs.length).toBe(1);
    expect(canonical(outputs[0]?.payload)).toBe(text);
  });
}

requirement('run.identity.variables', 'a __proto__ key comes back unchanged, or is refused', async () => {
  const workflowId = await fixture('conformance-identity');
  const payload: unknown = JSON.parse('{"__proto__": {"polluted": true}, "kept": 1}');
  const answer = await host.post('/v1/runs', { workflowId, inputs: { payload } });
  if (answer.status === 400) {
    expectRefusal(answer, { status: 400, code: 'validation_error' });
    return;
  }
  const { variables } = await waitForTerminal(runIdOf(answer));
  // Compared as text: assertions on objects overlook __proto__ keys.
  expect(canonical(variables?.payload)).toBe(canonical(payload));
});

for (const [name, payload] of Object.entries({ text: 'text', number: 1, list: [1], null: null })) {
  requirement('run.create.input-type', `${name} for an object variable is refused`, async () => {
    const workflowId = await fixture('conformance-identity');
    const answer = await host.post('/v1/runs', { workflowId, inputs: { payload } });
    expectRefusal(answer, { status: 400, code: 'validation_error' });
  });
}

requirement('run.create.required-input', 'no payload at all is refused', async () => {
  const answer = await host.post('/v1/runs', { workflowId: await fixture('conformance-identity') });
  expectRefusal(answer, { status: 400, code: 'validation_error' });
});

/** JSON text with sorted keys: hosts may reorder them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
