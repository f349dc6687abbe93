/** The scenario files: their names, and the requirements each of them cites. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('./scenarios/', import.meta.url));
const SUFFIX = '.test.ts';

/** Names of all scenarios, sorted. */
export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/** The scenario a test file belongs to. */
export function scenarioOf(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(SUFFIX, '');
}

export const scenarioFile = (name: string): string => FOLDER + name + SUFFIX;

/** Ids cited in a scenario, as they stand in its source: a citation is a literal first argument of `requirement`. */
export function citedIn(name: string): string[] {
  const source = readFileSync(scenarioFile(name), 'utf8');
  return [...source.matchAll(/\brequirement\(\s*(['"`])([^'"`]+)\1/g)].map((match) => match[2] ?? '');
}

/** Calls of `requirement` in a scenario, whatever their arguments. */
export function requirementCallsIn(name: string): number {
  return readFileSync(scenarioFile(name), 'utf8').match(/\brequirement\(/g)?.length ?? 0;
}
