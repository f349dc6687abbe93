// Plugins written to a temporary folder, and hosts that run them, for tests of the plugin system.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Logger, pino } from 'pino';
import { type ResolvedConfig, type ResolveOptions, resolveConfig } from '../../kernel/config.ts';
import { PluginHost, type PluginHostOptions, planPlugins } from '../../kernel/plugin/index.ts';
import type { PlanOptions, PluginPlan } from '../../kernel/plugin/validate.ts';

export const KERNEL_VERSION = '0.4.0';

export class PluginFolders {
  readonly dir = mkdtempSync(join(tmpdir(), 'wopr-plugins-'));
  readonly builtin = join(this.dir, 'plugins');
  /** What the host logged, as parsed lines. */
  readonly logged: Record<string, unknown>[] = [];
  readonly logger: Logger = pino(
    { level: 'debug' },
    { write: (line) => void this.logged.push(JSON.parse(line)) },
  );

  constructor() {
    mkdirSync(this.builtin);
  }

  /** Writes a file below the folder and returns its absolute path. */
  file(path: string, content: string | object): string {
    const absolute = join(this.dir, path);
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, typeof content === 'string' ? content : JSON.stringify(content));
    return absolute;
  }

  /**
   * Writes a built-in plugin and returns the path of its manifest. `manifest` overrides a valid minimal one; `activate` is the body of
   * its activate function, which sees `context`.
   */
  plugin(name: string, manifest: object = {}, activate = ''): string {
    const folder = `plugins/${name}`;
    this.file(`${folder}/index.mjs`, `export async function activate(context) {\n${activate}\n}\n`);
    const base = {
      manifestVersion: 1,
      name,
      version: '1.0.0',
      description: 'A test plugin.',
      kernel: '^0.4.0',
      entry: 'index.mjs',
    };
    return this.file(`${folder}/plugin.json`, { ...base, ...manifest });
  }

  resolve(options: ResolveOptions = {}): ResolvedConfig {
    return resolveConfig({ cwd: this.dir, ...options });
  }

  plan(config: ResolveOptions = {}, options: Partial<PlanOptions> = {}): PluginPlan {
    return planPlugins({
      resolved: this.resolve(config),
      builtin: this.builtin,
      kernelVersion: KERNEL_VERSION,
      services: ['log', 'runs'],
      ...options,
    });
  }

  /** What an operator reads when the boot stops. */
  messages(config: ResolveOptions = {}): string[] {
    return this.plan(config).problems.map(({ message }) => message);
  }

  host(options: Partial<PluginHostOptions> = {}): PluginHost {
    return new PluginHost({ plan: this.plan(), services: {}, logger: this.logger, ...options });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
