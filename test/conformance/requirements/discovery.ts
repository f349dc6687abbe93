/** The discovery document, profiles and fixtures. */
import type { Requirement } from './types.ts';

export const DISCOVERY_REQUIREMENTS = [
  {
    id: 'discovery.public',
    level: 'MUST',
    text: 'The discovery document is served as JSON without a credential.',
    source: 'HTTP §12.1',
  },
  {
    id: 'discovery.schema',
    level: 'MUST',
    text: 'The document has every required field and each field it has keeps its type and bounds.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.limits-closed',
    level: 'MUST',
    text: 'limits holds the three required bounds and nothing beyond the four defined ones.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.max-node-executions',
    level: 'SHOULD',
    text: 'limits.maxNodeExecutions is always sent.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.protocol-version',
    level: 'MUST',
    text: 'protocolVersion starts with "1.".',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.rest-transport',
    level: 'MUST',
    text: 'REST is there whether advertised or not: a transport list that is sent includes rest.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.stable',
    level: 'MUST',
    text: 'Two readings of the document during a session agree.',
    source: 'HTTP §12.1',
  },
  {
    id: 'discovery.cache-control',
    level: 'SHOULD',
    text: 'The document is sent with Cache-Control.',
    source: 'HTTP §3',
  },
  {
    id: 'discovery.capabilities-etag',
    level: 'MUST',
    text: 'A Capabilities-Etag that is sent is not empty and does not change while the capabilities do not.',
    source: 'HTTP §12.5',
  },
  {
    id: 'discovery.conditional',
    level: 'SHOULD',
    text: 'If-None-Match with the current ETag is answered with 304 without a body.',
    source: 'HTTP §3',
  },
  {
    id: 'discovery.scoped-view',
    level: 'MUST',
    text: 'What a caller with a credential sees is still a valid document with every public field.',
    source: 'HTTP §12.6',
  },
  {
    id: 'discovery.no-secrets',
    level: 'MUST',
    text: 'The public document contains no credential.',
    source: 'HTTP §12.6',
  },
  {
    id: 'discovery.mirror',
    level: 'SHOULD',
    text: 'Blocks repeated under capabilities say the same as at the root.',
    source: 'HTTP §12.2',
  },
  {
    id: 'discovery.secrets',
    level: 'MUST',
    text: 'Supported secrets come with at least one scope and a resolution.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.ai-providers',
    level: 'MUST',
    text: 'BYOK providers are among the supported ones, and a restricted policy mode comes with optional.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.mock-providers',
    level: 'MUST',
    text: 'A list of mock providers includes stream-text.',
    source: 'HTTP §12.3',
  },
  {
    id: 'discovery.replay',
    level: 'MUST',
    text: 'Supported replay comes with a list of modes.',
    source: 'run events §12',
  },
  {
    id: 'discovery.webhooks',
    level: 'MUST',
    text: 'A list of webhook signature algorithms includes v1.',
    source: 'HTTP §12.4',
  },

  {
    id: 'profile.core',
    level: 'MUST',
    text: 'The discovery document satisfies the predicate of openwop-core.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.implies-core',
    level: 'MUST',
    text: 'Every derived profile implies openwop-core, and derivation reads nothing but the document.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.stream-sse',
    level: 'MUST',
    text: 'A host with the profile openwop-stream-sse streams events as text/event-stream.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.stream-poll',
    level: 'MUST',
    text: 'A host with the profile openwop-stream-poll answers polls.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.fixtures',
    level: 'MUST',
    text: 'A host with the profile openwop-fixtures runs conformance-noop, the cheapest of them, when it is listed.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.replay-fork',
    level: 'MUST',
    text: 'A host with the profile openwop-replay-fork forks a finished run.',
    source: 'HTTP §15',
  },
  {
    id: 'profile.node-packs',
    level: 'MUST',
    text: 'A host that serves a pack registry lists its packs without a credential.',
    source: 'HTTP §15',
  },

  {
    id: 'fixture.list',
    level: 'MUST',
    text: 'fixtures is a list of unique non-empty workflow ids.',
    source: 'HTTP §12.3',
  },
  {
    id: 'fixture.served',
    level: 'MUST',
    text: 'The definition of every advertised fixture is served under its id and is a valid workflow definition.',
    source: 'run events §1',
  },
  {
    id: 'fixture.facts',
    level: 'MUST',
    text: 'A fixture keeps the node ids, node types, edges, variables and defaults that clients rely on.',
    source: 'run events §1.9',
  },
  {
    id: 'fixture.runnable',
    level: 'MUST',
    text: 'Every advertised fixture can be started.',
    source: 'HTTP §12.3',
  },
  {
    id: 'fixture.honest',
    level: 'SHOULD',
    text: 'A workflow named like a fixture that is not advertised cannot be started.',
    source: 'HTTP §19',
  },
] as const satisfies readonly Requirement[];
