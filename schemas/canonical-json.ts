// One text per JSON value, whatever the order of its object members; for digests.
import type { JsonValue } from './json.ts';

/** Members sorted by name, no white space. Members without a value are left out, as JSON.stringify does. Recursive: bound the depth before. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
