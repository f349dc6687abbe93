/** API keys: authenticates callers and manages their keys (HTTP §7). */
import { WoprError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import type { ApiKeys } from './contract.ts';
import { TEST_PREFIX } from './key-text.ts';
import { LOW_SCOPES, SCOPES } from './scopes.ts';
import { openKeyStore } from './store.ts';
import { KeyVerifier } from './verifier.ts';

export interface ApiKeysConfig {
  readonly bootstrapKey?: string;
  readonly lowScopeKey?: string;
}

export function activate(context: PluginContext<ApiKeysConfig>): void {
  const { config, logger } = context;
  const { bootstrapKey, lowScopeKey } = config;
  if (bootstrapKey !== undefined && bootstrapKey === lowScopeKey) {
    throw new WoprError(
      'config_invalid',
      'plugins.api-keys.config: bootstrapKey and lowScopeKey must differ.',
    );
  }

  const store = openKeyStore(context.service('database'), {
    onChange: (event, key) => {
      verifier.invalidate();
      const { keyId, label, scopes, tenantIds, test, expiresAt, replacedBy } = key;
      logger.info({ event, keyId, label, scopes, tenantIds, test, expiresAt, replacedBy }, event);
    },
  });
  const verifier = new KeyVerifier({
    row: store.row,
    onFirstUse: ({ keyId, tenantId }) => logger.info({ event: 'key.used', keyId, tenantId }, 'key.used'),
  });
  // Keys made or revoked by another process, such as the CLI.
  const stopWatching = context.service('claims').onForeignChange(() => verifier.invalidate());
  context.effect('watch for keys changed elsewhere', stopWatching);

  if (bootstrapKey !== undefined) {
    verifier.addFixed(bootstrapKey, fixedPrincipal('bootstrap', bootstrapKey, everyScope(context)));
  }
  if (lowScopeKey !== undefined) {
    verifier.addFixed(lowScopeKey, fixedPrincipal('low-scope', lowScopeKey, new Set(LOW_SCOPES)));
  }
  const { create, list, revoke, rotate } = store;
  context.provide('apiKeys', { create, list, revoke, rotate } satisfies ApiKeys);
  context.register('auth', verifier.name, verifier);
  context.register('capabilities', 'auth', { profiles: ['openwop-auth-api-key-rotation'] });
  context.register('capabilities', 'testing', { testKeyPrefix: TEST_PREFIX });

  context.onReady(() => {
    if (bootstrapKey !== undefined || !store.isEmpty()) return;
    logger.warn(
      'there is no API key yet, so nobody can use this host; create one with: wopr keys create me (or set OPENWOP_API_KEY)',
    );
  });
}

function fixedPrincipal(keyId: string, text: string, scopes: ReadonlySet<string>): Principal {
  return { keyId, tenantId: 'default', tenantIds: ['default'], scopes, test: text.startsWith(TEST_PREFIX) };
}

/** Scopes of the vocabulary and of every active route, kept up to date. */
function everyScope(context: PluginContext<ApiKeysConfig>): ReadonlySet<string> {
  const scopes = new Set<string>(SCOPES);
  const addScopesOfRoutes = () => {
    for (const { value } of context.contributions('routes')) {
      for (const scope of value.scopes ?? []) scopes.add(scope);
    }
  };
  addScopesOfRoutes();
  context.onChange('routes', addScopesOfRoutes);
  return scopes;
}
