/** Changes wopr.config.json on behalf of `wopr plugin enable|disable`. */
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '../../schemas/json.ts';
import { WoprError } from '../errors.ts';
import { readConfigFile } from './json-file.ts';
import { isObject } from './settings.ts';

/**
 * Sets `plugins.<name>.enabled` and keeps everything else. Creates the file when it is missing; replaces it in one step, so a reader
 * never sees half of it. Throws `config_invalid` when the file does not hold a JSON object.
 */
export function setPluginEnabled(file: string, name: string, enabled: boolean): void {
  const document = existsSync(file) ? readConfigFile(file) : {};
  const plugins = section(document, 'plugins', file);
  section(plugins, name, file).enabled = enabled;
  const draft = `${file}.${process.pid}.tmp`;
  // The file may hold keys: keep its permissions, and start with private ones.
  writeFileSync(draft, `${JSON.stringify(document, null, 2)}\n`, {
    mode: existsSync(file) ? statSync(file).mode : 0o600,
  });
  renameSync(draft, file);
}

function section(parent: JsonObject, key: string, file: string): JsonObject {
  parent[key] ??= {};
  const child = parent[key];
  if (!isObject(child)) throw new WoprError('config_invalid', `${key} must be an object (${file}).`);
  return child;
}
