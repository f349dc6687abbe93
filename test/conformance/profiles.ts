/** The nine compatibility profiles, derived from a discovery document and from nothing else (HTTP §15). */
import { isObject } from './client.ts';

type Document = Readonly<Record<string, unknown>>;

const PREDICATES = {
  'openwop-core': isCore,
  'openwop-interrupts': (d: Document) =>
    isCore(d) && strings(d.supportedEnvelopes).includes('clarification.request'),
  'openwop-stream-sse': offersRest,
  'openwop-stream-poll': offersRest,
  'openwop-secrets': (d: Document) => {
    const secrets = objectAt(d, 'secrets');
    return isCore(d) && secrets.supported === true && strings(secrets.scopes).includes('user');
  },
  'openwop-provider-policy': (d: Document) => {
    const policies = objectAt(objectAt(d, 'aiProviders'), 'policies');
    return isCore(d) && strings(policies.modes).includes('optional');
  },
  'openwop-node-packs': isCore,
  'openwop-replay-fork': (d: Document) => {
    const replay = objectAt(d, 'replay');
    return isCore(d) && replay.supported === true && strings(replay.modes).length > 0;
  },
  'openwop-fixtures': (d: Document) =>
    isCore(d) && strings(d.fixtures).length > 0 && !strings(d.fixtures).includes(''),
} satisfies Record<string, (document: Document) => boolean>;

export type ProfileName = keyof typeof PREDICATES;

/** Names of the profiles the document satisfies, in catalogue order. */
export function deriveProfiles(document: Document): ProfileName[] {
  return (Object.keys(PREDICATES) as ProfileName[]).filter((name) => PREDICATES[name](document));
}

function isCore(d: Document): boolean {
  const limits = d.limits;
  return (
    typeof d.protocolVersion === 'string' &&
    d.protocolVersion.startsWith('1.') &&
    isStrings(d.supportedEnvelopes) &&
    isObject(d.schemaVersions) &&
    isObject(limits) &&
    ['clarificationRounds', 'schemaRounds', 'envelopesPerTurn'].every((name) => isCount(limits[name]))
  );
}

function offersRest(d: Document): boolean {
  const transports = d.supportedTransports;
  return (
    isCore(d) && (transports === undefined || transports === null || strings(transports).includes('rest'))
  );
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The list when it is one of strings only, else an empty one. */
function strings(value: unknown): string[] {
  return isStrings(value) ? value : [];
}

function objectAt(d: Document, key: string): Document {
  const value = d[key];
  return isObject(value) ? value : {};
}
