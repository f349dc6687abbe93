/** The thread of `checkpointer.ts`: its own connection to the store, used for nothing but checkpoints. */
import { closeSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { ToWorker } from './checkpointer.ts';

/** Length the WAL file is brought to, in steps short enough for a commit to wait for. */
const WAL_BYTES = 16 * 1024 * 1024;
const STEP_BYTES = 1024 * 1024;

/** Passes per request: each is shorter than the one before, since it copies only what was committed meanwhile. */
const PASSES = 2;

const { path } = workerData as { readonly path: string };
const db = new DatabaseSync(path, { timeout: 30_000 });
db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
lengthenWal();

parentPort?.on('message', (message: ToWorker) => {
  if (message === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  for (let pass = 0; pass < PASSES; pass += 1) db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  parentPort?.postMessage('copied');
});

/**
 * Appends zeros, which SQLite takes for the end of the log as it does with frames left from earlier rounds. Under the write lock,
 * because then nobody else appends.
 */
function lengthenWal(): void {
  const file = openSync(`${path}-wal`, 'r+');
  try {
    for (let size = fstatSync(file).size; size < WAL_BYTES; ) {
      db.exec('BEGIN IMMEDIATE');
      size = fstatSync(file).size;
      if (size < WAL_BYTES) size += writeSync(file, new Uint8Array(STEP_BYTES), 0, STEP_BYTES, size);
      db.exec('ROLLBACK');
      fsyncSync(file);
    }
  } finally {
    closeSync(file);
  }
}
