import { describe, expect, it } from 'vitest';
import { parameterNames, RouteTable } from './route-table.ts';

const table = new RouteTable<string>();
for (const path of [
  '/healthz',
  '/v1/runs',
  '/v1/runs:bulk-cancel',
  '/v1/runs/{runId}',
  '/v1/runs/{runId}:fork',
  '/v1/runs/{runId}:pause',
  '/v1/runs/{runId}/events',
  '/v1/runs/{runId}/events/poll',
  '/v1/runs/{runId}/interrupts/{nodeId}',
  '/v1/packs/-/search',
  '/v1/packs/{name}/latest',
]) {
  table.add('GET', path, path);
}
table.add('POST', '/v1/runs', 'create');

function find(path: string): { to: string | undefined; captured: string[] } {
  const captured: string[] = [];
  return { to: table.find(path, captured)?.methods.get('GET'), captured };
}

describe('route table', () => {
  it.each([
    ['/healthz', '/healthz', []],
    ['/v1/runs', '/v1/runs', []],
    ['/v1/runs:bulk-cancel', '/v1/runs:bulk-cancel', []],
    ['/v1/runs/r1', '/v1/runs/{runId}', ['r1']],
    ['/v1/runs/r1:fork', '/v1/runs/{runId}:fork', ['r1']],
    ['/v1/runs/a:b:pause', '/v1/runs/{runId}:pause', ['a:b']],
    ['/v1/runs/a:other', '/v1/runs/{runId}', ['a:other']],
    ['/v1/runs/:fork', '/v1/runs/{runId}', [':fork']],
    // An encoded colon belongs to the id, whatever follows it.
    ['/v1/runs/a%3Afork', '/v1/runs/{runId}', ['a%3Afork']],
    ['/v1/runs/a%3Afork:fork', '/v1/runs/{runId}:fork', ['a%3Afork']],
    ['/v1/runs/a%2Fb/events', '/v1/runs/{runId}/events', ['a%2Fb']],
    ['/v1/runs/r:fork/events', '/v1/runs/{runId}/events', ['r:fork']],
    ['/v1/runs/r1/interrupts/n1', '/v1/runs/{runId}/interrupts/{nodeId}', ['r1', 'n1']],
    ['/v1/packs/-/search', '/v1/packs/-/search', []],
    // The literal branch is left again when it leads nowhere.
    ['/v1/packs/-/latest', '/v1/packs/{name}/latest', ['-']],
  ])('%s', (path, to, captured) => {
    expect(find(path)).toEqual({ to, captured });
  });

  it.each([
    '',
    '/',
    '*',
    'v1/runs',
    '/v1',
    '/v1/',
    '/v1/runs/',
    '/v1//runs',
    '/v1/runs//events',
    '/v1/runs/r1/',
    '/v1/runs/r1/nothing',
    '/v1/packs/-',
    '/V1/runs',
    '/v1/%72uns',
    '/__proto__',
    '/v1/constructor',
  ])('finds nothing at "%s"', (path) => {
    expect(find(path)).toEqual({ to: undefined, captured: [] });
  });

  it('knows all methods of a path', () => {
    expect([...(table.find('/v1/runs', [])?.methods.keys() ?? [])]).toEqual(['GET', 'POST']);
  });

  it('reads parameter names off a template', () => {
    expect(parameterNames('/v1/runs/{runId}/interrupts/{nodeId}')).toEqual(['runId', 'nodeId']);
    expect(parameterNames('/v1/runs/{runId}:fork')).toEqual(['runId']);
    expect(parameterNames('/v1/runs')).toEqual([]);
  });
});
