/** Migrations: each owner's list is applied once, in order, in one transaction. */
import type { DatabaseSync } from 'node:sqlite';
import { WoprError } from '../errors.ts';
import type { Migration } from './database.types.ts';
import { storeError } from './sqlite.ts';

const APPLIED = `SELECT name FROM migrations WHERE owner = ? ORDER BY name`;

/**
 * Applies the pending migrations of `owner`. Throws `store_newer` when the store has one that is not in the list, and the SQL error
 * (nothing applied) when a migration fails.
 */
export function migrate(db: DatabaseSync, owner: string, migrations: readonly Migration[]): void {
  try {
    db.exec(`CREATE TABLE IF NOT EXISTS migrations (
      owner TEXT NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (owner, name)) STRICT, WITHOUT ROWID`);
    if (pending(db, owner, migrations).length === 0) return;
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    throw storeError(error);
  }
  try {
    // Asked again under the write lock: another process may have migrated meanwhile.
    for (const migration of pending(db, owner, migrations)) {
      for (const sql of migration.up) db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?, ?)').run(
        owner,
        migration.name,
        new Date().toISOString(),
      );
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function pending(db: DatabaseSync, owner: string, migrations: readonly Migration[]): Migration[] {
  const applied = new Set(
    db
      .prepare(APPLIED)
      .all(owner)
      .map((row) => String(row.name)),
  );
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0)
    throw new WoprError(
      'store_newer',
      `The store has migrations of "${owner}" that this build does not know: ${unknown.join(', ')}.`,
      {
        details: { owner, unknown },
      },
    );
  return migrations.filter((migration) => !applied.has(migration.name));
}
