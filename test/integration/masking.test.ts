// A sensitive value on its way through a run: nodes and a restarted host see it, readers of log, snapshot and store do not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWopr, type TestWopr } from '../support/wopr.ts';

const SECRET = 'correct horse battery staple';
const definition = {
  id: 'sensitive',
  name: 'Sensitive',
  version: '1',
  nodes: [
    {
      id: 'wait',
      typeId: 'core.delay',
      name: 'W',
      position: { x: 0, y: 0 },
      config: { ms: 400 },
      inputs: {},
    },
    {
      id: 'use',
      typeId: 'core.end',
      name: 'U',
      position: { x: 0, y: 0 },
      config: {},
      inputs: {
        length: { type: 'expression', expression: 'size(variables.password)' },
        copy: { type: 'variable', variableName: 'password' },
      },
      outputSensitivity: { copy: true },
    },
  ],
  edges: [{ id: 'e', sourceNodeId: 'wait', targetNodeId: 'use' }],
  triggers: [],
  variables: [{ name: 'password', type: 'string', sensitive: true, required: true }],
  metadata: {},
  settings: {},
};

let dataDir: string;
let host: TestWopr;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-masking-'));
  host = await startWopr({ dataDir });
});

afterAll(async () => {
  await host.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

it('reaches the nodes, also after a restart, and no reader', async () => {
  expect((await host.ask('/v1/workflows', { method: 'POST', body: definition })).status).toBe(201);
  const created = await host.ask('/v1/runs', {
    method: 'POST',
    body: { workflowId: 'sensitive', inputs: { password: SECRET } },
  });
  expect(created.status).toBe(201);
  const { runId } = created.json;
  // The second host knows the value only from the store.
  await host.stop();
  host = await startWopr({ dataDir });
  await expect
    .poll(async () => (await host.ask(`/v1/runs/${runId}`)).json.status, { timeout: 15_000 })
    .toBe('completed');

  const snapshot = await host.ask(`/v1/runs/${runId}`);
  expect(snapshot.json.variables).toEqual({ password: '[REDACTED]' });
  expect(snapshot.json.outputs).toEqual({ length: SECRET.length, copy: '[REDACTED]' });
  const events = await host.ask(`/v1/runs/${runId}/events/poll`);
  expect(events.json.events.at(-1).payload.outputs.length).toBe(SECRET.length);
  expect(snapshot.text + events.text + JSON.stringify(host.logged)).not.toContain(SECRET);
});
