/** The host under test and what it claims. Nothing here asserts; it only looks, or says "not claimed". */
import { HttpClient, isObject } from './client.ts';
import type { FixtureId } from './fixtures.ts';
import { notClaimed, options, shared } from './harness.ts';

/** Speaks with the key that has every scope. */
export const host = new HttpClient(options.baseUrl, options.apiKey);

/** An identifier that no host has given to anything. */
export const UNKNOWN_ID = 'conformance-no-such-thing';

/** The public discovery document, read once per scenario. */
export const discovery = shared(async () => (await host.get('/.well-known/openwop', { key: null })).object);

/** The fixtures the host says it can run. */
export async function advertisedFixtures(): Promise<string[]> {
  const { fixtures } = await discovery();
  return Array.isArray(fixtures) ? fixtures.filter((id) => typeof id === 'string') : [];
}

/** The id itself, or "not claimed" when the host does not advertise this fixture. */
export async function fixture(id: FixtureId): Promise<FixtureId> {
  if ((await advertisedFixtures()).includes(id)) return id;
  return notClaimed(`fixture ${id} is not advertised`);
}

/** A block of the discovery document (`runs.pauseResume`), at the root or under `capabilities`; undefined when absent. */
export async function block(path: string): Promise<Record<string, unknown> | undefined> {
  const document = await discovery();
  const found = lookUp(document, path) ?? lookUp(document.capabilities, path);
  return isObject(found) ? found : undefined;
}

/** A block that says `supported: true`, or "not claimed". */
export async function supportedBlock(path: string): Promise<Record<string, unknown>> {
  const found = await block(path);
  return found?.supported === true ? found : notClaimed(`${path} is not advertised as supported`);
}

/** The key with only `manifest:read` and `runs:read`, or "not claimed". */
export function lowScopeKey(): string {
  return options.lowScopeKey ?? notClaimed('no low-scope key given (--low-scope-key)');
}

/** True when the given key is one the host calls a test key. */
export async function isTestKey(): Promise<boolean> {
  const prefix = (await block('testing'))?.testKeyPrefix;
  return typeof prefix === 'string' && options.apiKey.startsWith(prefix);
}

function lookUp(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), document);
}
