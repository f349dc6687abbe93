/** The store: whether it is intact, what runs are in it, and who holds them. */
import { existsSync, statSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Database } from '../../../kernel/log/database.types.ts';
import { checkIntegrity } from '../../../kernel/log/integrity.ts';
import type { LogTables } from '../../../kernel/log/tables.ts';
import { bytes, duration } from '../view/text.ts';
import { type Examination, failed, ok, warning } from './examination.ts';

export function examineStoreFile(path: string): Examination {
  if (!existsSync(path)) return ok('store', `${path} does not exist yet; made when a host starts`);
  return ok('store', `${path}, ${bytes(statSync(path).size)}`);
}

/** Reads the whole store: the file, and what the log promises about every run. */
export function examineIntegrity(kernel: Kernel): Examination[] {
  const findings = checkIntegrity(kernel.services.database);
  if (findings.length === 0) return [ok('integrity', 'file, sequences, endings and payloads hold')];
  return findings.map(({ check, runId, message }) =>
    failed('integrity', `${check}: ${runId === undefined ? '' : `${runId} `}${message}`),
  );
}

/** Runs that have not ended and the instances that hold them, as of `now` (epoch ms). */
export function examineRuns(kernel: Kernel, now: number): Examination[] {
  const { database } = kernel.services;
  const tables = database.kysely as Kysely<unknown> as Kysely<LogTables>;
  const statuses = database.all<{ status: string; count: number }>(
    tables
      .selectFrom('runs')
      .select(({ fn }) => ['status' as const, fn.countAll<number>().as('count')])
      .groupBy('status')
      .orderBy('status')
      .compile(),
  );
  const leases = leasesOf(database, tables);
  return [
    ok(
      'runs',
      statuses.length === 0 ? 'none' : statuses.map(({ status, count }) => `${count} ${status}`).join(', '),
    ),
    ...leases.map(({ instance, expiresAt, runs }) => examineLease(instance, expiresAt, runs, now)),
  ];
}

interface Lease {
  readonly instance: string;
  /** Epoch ms; null when the instance is not registered any more. */
  readonly expiresAt: number | null;
  readonly runs: number;
}

function leasesOf(database: Database, tables: Kysely<LogTables>): Lease[] {
  const registered = database.all<{ instance_id: string; expires_at: number }>(
    tables.selectFrom('instances').select(['instance_id', 'expires_at']).orderBy('started_at').compile(),
  );
  const held = database.all<{ owner: string; runs: number }>(
    tables
      .selectFrom('runs')
      .select(({ fn, ref }) => [ref('owner').$notNull().as('owner'), fn.countAll<number>().as('runs')])
      .where('owner', 'is not', null)
      .groupBy('owner')
      .compile(),
  );
  const known = new Set(registered.map(({ instance_id }) => instance_id));
  return [
    ...registered.map(({ instance_id, expires_at }) => ({
      instance: instance_id,
      expiresAt: expires_at,
      runs: held.find(({ owner }) => owner === instance_id)?.runs ?? 0,
    })),
    ...held
      .filter(({ owner }) => !known.has(owner))
      .map(({ owner, runs }) => ({ instance: owner, expiresAt: null, runs })),
  ];
}

function examineLease(instance: string, expiresAt: number | null, runs: number, now: number): Examination {
  const name = `claim ${instance.slice(0, 8)}`;
  const holds = `holds ${runs} ${runs === 1 ? 'run' : 'runs'}`;
  if (expiresAt !== null && expiresAt > now)
    return ok(name, `alive for another ${duration(expiresAt - now)}, ${holds}`);
  const since =
    expiresAt === null ? 'is not registered any more' : `expired ${duration(now - expiresAt)} ago`;
  return runs === 0
    ? ok(name, since)
    : warning(name, `${since}, ${holds}: the next host to start takes them over`);
}
