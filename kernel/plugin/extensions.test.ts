import { type Logger, pino } from 'pino';
import { expect, it } from 'vitest';
import type { Outcome } from '../dispatch/types.ts';
import { extensionPointContract } from './contract.ts';
import { Extensions } from './extensions.ts';
import type { Route } from './points/http.ts';
import { EXTENSION_POINTS } from './points/rules.ts';

const completed: Outcome = { kind: 'completed', outputs: {} };
const covered: string[] = [];
const contract: typeof extensionPointContract = (point, ...rest) => {
  covered.push(point);
  extensionPointContract(point, ...rest);
};

contract('capabilities', ['limits', 'x-limits'], 'no dots.here', () => ({ supported: true }));
contract('nodeTypes', ['core.one', 'vendor.acme.two'], 'Core.one', (typeId) => ({
  typeId,
  description: 'd',
  execute: () => completed,
}));
contract('routes', ['GET /v1/one', 'POST /v1/runs/{runId}:fork'], '/v1/one', (id) => {
  const [method, path] = id.split(' ') as [Route['method'], string];
  const handle = () => ({ status: 200 });
  return { method, path, operationId: 'o', summary: 's', scopes: null, responses: {}, handle };
});
contract('middleware', ['one', 'two'], 'o n e', (name) => ({
  name,
  stage: 'admission',
  order: 0,
  handle: (_request, _route, next) => next(),
}));
contract('auth', ['one', 'two'], '-one', (name) => ({ name, authenticate: () => null }));
contract('streamModes', ['updates', 'vendor.acme.raw'], '1st', (name) => ({
  name,
  mixable: true,
  frame: () => null,
}));
contract('dispatchers', ['local', 'nats'], 'n/a', () => ({
  create: () => Promise.reject(new Error('not here')),
}));
contract('healthChecks', ['store', 'queue'], '', (name) => ({ name, check: () => ({ status: 'ok' }) }));
contract('metrics', ['wopr_runs_total', 'wopr_lag_seconds'], 'wopr-runs', (name) => ({
  name,
  help: 'h',
  type: 'gauge',
  collect: () => [],
}));
contract('eventTaps', ['audit', 'webhooks'], 'Audit', (name) => ({ name, observe: () => undefined }));

it('every extension point has passed the contract', () => {
  expect(covered.sort()).toEqual([...EXTENSION_POINTS].sort());
});

it('a listener that throws is logged and does not keep the others from hearing', () => {
  const lines: string[] = [];
  const logger: Logger = pino({}, { write: (line) => void lines.push(line) });
  const extensions = new Extensions(logger);
  let heard = 0;
  extensions.onChange('auth', () => {
    throw new Error('deaf');
  });
  const off = extensions.onChange('auth', () => void heard++);
  const remove = extensions.add('auth', {
    id: 'a',
    plugin: 'p',
    value: { name: 'a', authenticate: () => null },
  });
  expect(heard).toBe(1);
  expect(lines.join()).toContain('deaf');
  off();
  remove();
  expect(heard).toBe(1);
});
