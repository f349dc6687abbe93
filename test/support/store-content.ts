// What a store holds, to compare before and after.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/** Leases are renewed all the time. */
const RESTLESS: ReadonlySet<string> = new Set(['instances']);

/** Number of rows and digest of each table; equal contents give equal objects. */
export function storeContent(path: string): Record<string, string> {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const tables = db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all() as { name: string }[];
    return Object.fromEntries(
      tables
        .filter(({ name }) => !RESTLESS.has(name))
        .map(({ name }) => {
          const rows = db.prepare(`SELECT * FROM "${name}"`).all();
          const digest = createHash('sha256').update(
            JSON.stringify(rows.map((row) => JSON.stringify(row)).sort()),
          );
          return [name, `${rows.length} rows, ${digest.digest('hex').slice(0, 16)}`];
        }),
    );
  } finally {
    db.close();
  }
}

/** Values of one column, sorted. */
export function column(path: string, table: string, name: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const rows = db.prepare(`SELECT "${name}" AS value FROM "${table}" ORDER BY 1`).all();
    return rows.map(({ value }) => String(value));
  } finally {
    db.close();
  }
}
