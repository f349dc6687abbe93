/** What other plugins and the CLI may use of API keys. */
export { SCOPES } from './scopes.ts';
export { type KeyStoreOptions, openKeyStore } from './store.ts';

export interface ApiKey {
  /** Part of the key itself, safe to log. */
  readonly keyId: string;
  /** Who or what the key belongs to; the keys of one rotation share it. */
  readonly label: string;
  /** May use mock providers and forced engine versions. */
  readonly test: boolean;
  readonly scopes: readonly string[];
  /** Tenants the key may act for; the first is the default. */
  readonly tenantIds: readonly string[];
  /** ISO times. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** The key that replaced this one. */
  readonly replacedBy: string | null;
  readonly status: 'active' | 'expired' | 'revoked';
}

export interface CreateApiKey {
  /** 1..100 characters. */
  readonly label: string;
  /** At least one. */
  readonly scopes: readonly string[];
  /** Default `["default"]`. */
  readonly tenantIds?: readonly string[];
  readonly test?: boolean;
  /** Epoch ms; default never. */
  readonly expiresAt?: number;
}

/** A key just made. `secret` is the whole text to send as bearer token; it is stored nowhere and cannot be shown again. */
export interface IssuedApiKey {
  readonly key: ApiKey;
  readonly secret: string;
}

/** Service `apiKeys`. What it changes takes effect at once in this process, within a second in others on the same store. */
export interface ApiKeys {
  /** Errors: `validation_error` naming the field. */
  create(request: CreateApiKey): Promise<IssuedApiKey>;
  /** Oldest first. */
  list(): ApiKey[];
  /** Ends a key for good. Revoking a revoked key changes nothing. Errors: `not_found`. */
  revoke(keyId: string): Promise<ApiKey>;
  /**
   * Makes a successor with the same label, scopes, tenants and kind, and lets the old key expire after the grace window, so that both
   * work meanwhile. Default window: 86,400 s. Errors: `not_found`, `conflict` when the old key no longer works.
   */
  rotate(keyId: string, graceSeconds?: number): Promise<IssuedApiKey & { readonly replaced: ApiKey }>;
}

declare module '../../kernel/plugin/types.ts' {
  interface Services {
    apiKeys: ApiKeys;
  }
}
