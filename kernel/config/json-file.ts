/** Reads JSON files that people edit. */
import { readFileSync } from 'node:fs';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import { WoprError } from '../errors.ts';
import { isObject } from './settings.ts';

/** The parsed file. Throws an Error whose message says what is wrong and never quotes the content, which may hold secrets. */
export function readJsonFile(path: string): JsonValue {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as JsonValue;
  } catch (error) {
    // V8 appends an excerpt of the text to some messages; the position, where it gives one, is all a reader needs.
    const reason = (error as Error).message.replace(/, .*is not valid JSON$/s, '');
    throw new Error(`is not valid JSON: ${reason}`);
  }
}

/** The content of a config file. Throws `config_invalid`, naming the file. */
export function readConfigFile(path: string): JsonObject {
  let document: JsonValue;
  try {
    document = readJsonFile(path);
  } catch (error) {
    throw new WoprError('config_invalid', `${path} ${(error as Error).message}.`);
  }
  if (!isObject(document)) throw new WoprError('config_invalid', `${path} must hold a JSON object.`);
  return document;
}
