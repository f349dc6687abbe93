/** Inputs of a run as written on the command line. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../../kernel/commands.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { WorkflowVariable } from '../../schemas/workflow-definition.ts';

export interface InputArguments {
  /** `name=value` or `@file.json`, in the order given; later ones win. */
  readonly input: readonly string[];
  /** One JSON object; `input` wins over it. */
  readonly inputs?: string | undefined;
}

/**
 * The inputs object. A value is JSON if it reads as JSON, else text; a variable declared as `string` takes it as text in any case,
 * so that a postcode stays a postcode. Errors: `usage`.
 */
export function parseInputs(
  { input, inputs }: InputArguments,
  variables: readonly WorkflowVariable[],
  cwd: string,
): JsonObject {
  const result: JsonObject = inputs === undefined ? {} : objectFrom(inputs, '--inputs');
  for (const argument of input) {
    if (argument.startsWith('@'))
      Object.assign(result, objectFrom(fileText(argument.slice(1), cwd), argument));
    else define(result, ...pair(argument, variables));
  }
  return result;
}

/** `--configurable` and its like: a JSON object, or `@file.json`. */
export function parseObject(text: string, flag: string, cwd: string): JsonObject {
  return objectFrom(text.startsWith('@') ? fileText(text.slice(1), cwd) : text, flag);
}

function pair(argument: string, variables: readonly WorkflowVariable[]): [name: string, value: JsonValue] {
  const equals = argument.indexOf('=');
  if (equals < 1)
    throw usageError(
      `--input ${argument} is neither name=value nor @file.json.`,
      'For example: --input city=Oslo',
    );
  const name = argument.slice(0, equals);
  const text = argument.slice(equals + 1);
  const isText = variables.some((variable) => variable.name === name && variable.type === 'string');
  return [name, isText ? text : jsonOrText(text)];
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function objectFrom(text: string, from: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw usageError(
      `${from} is not valid JSON.`,
      'Quote it for the shell, for example: --inputs \'{"city":"Oslo"}\'',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw usageError(`${from} must be a JSON object.`);
}

function fileText(path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw usageError(`Cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`);
  }
}

/** Also for names such as `__proto__`, which then reach the host and are judged there. */
function define(target: JsonObject, name: string, value: JsonValue): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
