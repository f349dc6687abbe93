/** The table of keys, and what may be done with it; works with or without a running host. */
import type { Kysely } from 'kysely';
import { WoprError } from '../../kernel/errors.ts';
import type { Database, Migration } from '../../kernel/log/database.types.ts';
import type { ApiKey, ApiKeys, CreateApiKey } from './contract.ts';
import { generateKey, hashKey } from './key-text.ts';
import { SCOPE_FORM } from './scopes.ts';

export interface KeyRow {
  key_id: string;
  label: string;
  test: number;
  hash: string;
  /** JSON arrays. */
  scopes: string;
  tenant_ids: string;
  /** Epoch ms. */
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  replaced_by: string | null;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-keys',
    up: [
      `CREATE TABLE api_keys (
        key_id TEXT PRIMARY KEY,
        label TEXT NOT NULL,
        test INTEGER NOT NULL,
        hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        tenant_ids TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        replaced_by TEXT
      )`,
    ],
  },
];

export interface KeyStoreOptions {
  /** Epoch ms. Default `Date.now`. */
  readonly now?: () => number;
  /** Called after each change is durable. */
  readonly onChange?: (event: 'key.created' | 'key.revoked' | 'key.rotated', key: ApiKey) => void;
}

/** As `ApiKeys`, with the row that authentication needs. */
export interface KeyStore extends ApiKeys {
  row(keyId: string): KeyRow | undefined;
  isEmpty(): boolean;
}

const DEFAULT_GRACE_SECONDS = 86_400;

/** Opens the keys of a store, creating the table when it is missing. */
export function openKeyStore(database: Database, options: KeyStoreOptions = {}): KeyStore {
  const { now = Date.now, onChange = () => {} } = options;
  database.migrate('api-keys', MIGRATIONS);
  const db = database.kysely as Kysely<{ api_keys: KeyRow }>;
  const keys = db.selectFrom('api_keys').selectAll();

  const row = (keyId: string) => database.get<KeyRow>(keys.where('key_id', '=', keyId).compile());
  const existing = (keyId: string): KeyRow => {
    const found = row(keyId);
    if (found === undefined) throw new WoprError('not_found', `There is no API key with the id "${keyId}".`);
    return found;
  };
  const change = (keyId: string, values: Partial<KeyRow>) =>
    db.updateTable('api_keys').set(values).where('key_id', '=', keyId).compile();
  const issue = async (request: Required<Omit<CreateApiKey, 'expiresAt'>> & { expiresAt: number | null }) => {
    const { keyId, text } = generateKey(request.test);
    const created: KeyRow = {
      key_id: keyId,
      label: request.label,
      test: request.test ? 1 : 0,
      hash: await hashKey(text),
      scopes: JSON.stringify([...new Set(request.scopes)]),
      tenant_ids: JSON.stringify([...new Set(request.tenantIds)]),
      created_at: now(),
      expires_at: request.expiresAt,
      revoked_at: null,
      replaced_by: null,
    };
    return { created, text, insert: db.insertInto('api_keys').values(created).compile() };
  };

  return {
    row,
    isEmpty: () => database.get(keys.limit(1).compile()) === undefined,
    list: () =>
      database
        .all<KeyRow>(keys.orderBy('created_at').orderBy('key_id').compile())
        .map((each) => describe(each, now())),

    async create(request) {
      const { tenantIds = ['default'], test = false, expiresAt = null } = request;
      check({ ...request, tenantIds }, now());
      const { created, text, insert } = await issue({ ...request, tenantIds, test, expiresAt });
      await database.write((tx) => tx.run(insert));
      const key = describe(created, now());
      onChange('key.created', key);
      return { key, secret: text };
    },

    async revoke(keyId) {
      const { revoked_at } = existing(keyId);
      if (revoked_at === null) await database.write((tx) => tx.run(change(keyId, { revoked_at: now() })));
      const key = describe(existing(keyId), now());
      if (revoked_at === null) onChange('key.revoked', key);
      return key;
    },

    async rotate(keyId, graceSeconds = DEFAULT_GRACE_SECONDS) {
      if (!Number.isFinite(graceSeconds) || graceSeconds < 0)
        throw invalid('graceSeconds', 'Must not be negative.');
      const { label, scopes, tenantIds, test } = usable(describe(existing(keyId), now()));
      const { created, text, insert } = await issue({ label, scopes, tenantIds, test, expiresAt: null });
      const end = now() + graceSeconds * 1000;
      await database.write((tx) => {
        // Read again inside the transaction: it may have been revoked or rotated meanwhile.
        const old = tx.get<KeyRow>(keys.where('key_id', '=', keyId).compile());
        if (old === undefined)
          throw new WoprError('not_found', `There is no API key with the id "${keyId}".`);
        usable(describe(old, now()));
        tx.run(insert);
        tx.run(
          change(keyId, { expires_at: Math.min(old.expires_at ?? end, end), replaced_by: created.key_id }),
        );
      });
      const key = describe(created, now());
      const replaced = describe(existing(keyId), now());
      onChange('key.created', key);
      onChange('key.rotated', replaced);
      return { key, secret: text, replaced };
    },
  };
}

function usable(key: ApiKey): ApiKey {
  if (key.status !== 'active') throw new WoprError('conflict', `The key ${key.keyId} is ${key.status}.`);
  if (key.replacedBy !== null) {
    throw new WoprError('conflict', `The key ${key.keyId} was already replaced by ${key.replacedBy}.`);
  }
  return key;
}

function check({ label, scopes, tenantIds = [], expiresAt }: CreateApiKey, now: number): void {
  if (label.length === 0 || label.length > 100) throw invalid('label', 'Must have 1 to 100 characters.');
  if (scopes.length === 0) throw invalid('scopes', 'Must name at least one scope.');
  for (const scope of scopes) {
    if (!SCOPE_FORM.test(scope))
      throw invalid('scopes', `"${scope}" is no scope: it must look like "runs:read".`);
  }
  if (tenantIds.length === 0 || tenantIds.some((id) => id.length === 0 || id.length > 128)) {
    throw invalid('tenantIds', 'Must name at least one tenant, each of 1 to 128 characters.');
  }
  if (expiresAt !== undefined && !(expiresAt > now)) throw invalid('expiresAt', 'Must lie in the future.');
}

function invalid(field: string, message: string): WoprError {
  return new WoprError('validation_error', `${field}: ${message}`, {
    details: { errors: [{ path: `/${field}`, message }] },
  });
}

/** A row as it may be shown. */
export function describe(row: KeyRow, now: number): ApiKey {
  const expired = row.expires_at !== null && row.expires_at <= now;
  return {
    keyId: row.key_id,
    label: row.label,
    test: row.test === 1,
    scopes: JSON.parse(row.scopes) as string[],
    tenantIds: JSON.parse(row.tenant_ids) as string[],
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
    revokedAt: row.revoked_at === null ? null : new Date(row.revoked_at).toISOString(),
    replacedBy: row.replaced_by,
    status: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
  };
}
