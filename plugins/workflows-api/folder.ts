/** The folder of workflow files: every `*.json` in it is registered for all tenants, again whenever it changes. */
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { WoprError } from '../../kernel/errors.ts';
import type { HealthCheck } from '../../kernel/plugin/points/operations.ts';
import type { Finding, WorkflowService } from '../../kernel/runs/types.ts';

/** Editors write a file in several steps; wait until they are done. */
const SETTLE_MS = 200;
const LONGEST_DETAIL = 300;

export interface WorkflowFolderOptions {
  readonly path: string;
  readonly workflows: WorkflowService;
  readonly logger: Logger;
  readonly maxBytes: number;
}

export class WorkflowFolder {
  readonly #options: WorkflowFolderOptions;
  /** Text registered last, by file name. */
  readonly #registered = new Map<string, string>();
  /** What is wrong, by file name. */
  readonly #faults = new Map<string, string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WorkflowFolderOptions) {
    this.#options = options;
  }

  /** Registers what is new or changed. A bad file is logged and reported by `health`, and keeps no other from being registered. */
  load(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  /** Starts watching. Comes before the first `load`, so that no change falls between the two. */
  async watch(): Promise<void> {
    const { path, logger } = this.#options;
    const failed = (err: unknown) =>
      logger.warn(
        { err, path },
        'the workflow folder cannot be watched; changed files are registered at the next start',
      );
    try {
      await mkdir(path, { recursive: true });
      this.#watcher = watch(path, { persistent: false }, () => this.#changed());
      this.#watcher.on('error', failed);
    } catch (error) {
      failed(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#reading;
  }

  health(): ReturnType<HealthCheck['check']> {
    if (this.#faults.size === 0) return { status: 'ok' };
    const detail = [...this.#faults].map(([file, fault]) => `${file}: ${fault}`).join('; ');
    return { status: 'degraded', detail: detail.slice(0, LONGEST_DETAIL) };
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), SETTLE_MS);
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    const { path, logger } = this.#options;
    let files: string[];
    try {
      await mkdir(path, { recursive: true });
      files = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
    } catch (error) {
      this.#faults.set(path, (error as Error).message);
      logger.warn({ err: error, path }, 'the workflow folder cannot be read');
      return;
    }
    this.#faults.delete(path);
    for (const known of new Set([...this.#registered.keys(), ...this.#faults.keys()])) {
      if (files.includes(known)) continue;
      this.#registered.delete(known);
      this.#faults.delete(known);
    }
    for (const file of files) {
      if (this.#closed) return;
      await this.#register(file);
    }
  }

  async #register(file: string): Promise<void> {
    const { path, workflows, logger, maxBytes } = this.#options;
    try {
      const full = join(path, file);
      const { size } = await stat(full);
      if (size > maxBytes) throw new WoprError('payload_too_large', `is larger than ${maxBytes} bytes`);
      const text = await readFile(full, 'utf8');
      if (this.#registered.get(file) === text) return;
      const { workflow, created, warnings } = await workflows.register(JSON.parse(text), null);
      this.#registered.set(file, text);
      this.#faults.delete(file);
      const { workflowId, version } = workflow;
      if (created) logger.info({ file, workflowId, version, warnings }, 'workflow file registered');
    } catch (error) {
      const errors = findingsOf(error);
      this.#faults.set(file, errors.map(({ path: at, message }) => `${at} ${message}`.trim()).join(', '));
      logger.warn({ file, errors }, 'workflow file was not registered');
    }
  }
}

/** What an author can act on: the findings of the validation, else the error's own sentence. */
function findingsOf(error: unknown): Finding[] {
  const errors = error instanceof WoprError ? error.details?.errors : undefined;
  if (Array.isArray(errors) && errors.length > 0) return errors as unknown as Finding[];
  return [{ path: '', message: error instanceof Error ? error.message : String(error) }];
}
