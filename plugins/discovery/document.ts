/** The discovery document: protocol basics plus the capabilities of all active plugins (HTTP §12, §19). */
import { createHash } from 'node:crypto';
import { mergeCapabilities } from '../../kernel/plugin/capabilities.ts';
import type { Contribution } from '../../kernel/plugin/types.ts';
import { ENGINE_VERSION, EVENT_LOG_SCHEMA_VERSION } from '../../kernel/version.ts';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';

export const PROTOCOL_VERSION = '1.0';
export const MIN_CLIENT_VERSION = '1.0';

export interface Basics {
  readonly version: string;
  readonly vendor: string;
  readonly maxNodeExecutions: number;
}

export interface DiscoveryDocument {
  readonly document: JsonObject;
  readonly json: string;
  /** Quoted digest. Nothing in the document counts or names an instance, so it changes exactly when negotiation may (HTTP §12.5). */
  readonly etag: string;
}

/** Throws `plugin_duplicate` when two plugins contradict each other. */
export function buildDocument(
  basics: Basics,
  contributions: readonly Contribution<'capabilities'>[],
): DiscoveryDocument {
  const declared = mergeCapabilities(contributions);
  const document = mergeCapabilities([...ownContributions(basics), ...contributions]);
  // Readers look for single blocks in either place (HTTP §12.2), and for `auth` in a third (§16.1).
  if (declared.auth !== undefined) {
    document.extensions = { ...(document.extensions as JsonObject | undefined), auth: declared.auth };
  }
  document.capabilities = declared;
  const json = JSON.stringify(document);
  const etag = `"${createHash('sha256').update(json).digest('base64url').slice(0, 27)}"`;
  return { document, json, etag };
}

/** What holds whatever plugins are active, in the form of contributions so that plugins can add to it: an envelope, a transport. */
function ownContributions({ version, vendor, maxNodeExecutions }: Basics): Contribution<'capabilities'>[] {
  const basics: Record<string, JsonValue> = {
    protocolVersion: PROTOCOL_VERSION,
    engineVersion: ENGINE_VERSION,
    eventLogSchemaVersion: EVENT_LOG_SCHEMA_VERSION,
    minClientVersion: MIN_CLIENT_VERSION,
    implementation: { name: 'wopr', version, vendor },
    supportedTransports: ['rest'],
    supportedEnvelopes: [],
    schemaVersions: {},
    limits: { clarificationRounds: 3, schemaRounds: 2, envelopesPerTurn: 5, maxNodeExecutions },
  };
  return Object.entries(basics).map(([id, value]) => ({ id, plugin: 'discovery', value }));
}
