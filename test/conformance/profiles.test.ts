import { expect, test } from 'vitest';
import { deriveProfiles } from './profiles.ts';

const core = {
  protocolVersion: '1.0',
  supportedEnvelopes: [],
  schemaVersions: {},
  limits: { clarificationRounds: 0, schemaRounds: 2, envelopesPerTurn: 5 },
};
const ALWAYS = ['openwop-core', 'openwop-stream-sse', 'openwop-stream-poll', 'openwop-node-packs'];

test('the least document derives core and what follows from it', () => {
  expect(deriveProfiles(core)).toEqual(ALWAYS);
});

test.each([
  { protocolVersion: '2.0' },
  { protocolVersion: 1 },
  { supportedEnvelopes: [1] },
  { schemaVersions: null },
  { limits: { ...core.limits, schemaRounds: -1 } },
  { limits: { ...core.limits, schemaRounds: 1.5 } },
])('%j derives nothing', (change) => {
  expect(deriveProfiles({ ...core, ...change })).toEqual([]);
});

test.each([
  [
    'openwop-interrupts',
    { supportedEnvelopes: ['clarification.request'] },
    { supportedEnvelopes: ['other'] },
  ],
  [
    'openwop-secrets',
    { secrets: { supported: true, scopes: ['user'] } },
    { secrets: { supported: true, scopes: ['tenant'] } },
  ],
  [
    'openwop-provider-policy',
    { aiProviders: { policies: { modes: ['optional'] } } },
    { aiProviders: { policies: { modes: [] } } },
  ],
  [
    'openwop-replay-fork',
    { replay: { supported: true, modes: ['replay'] } },
    { replay: { supported: true } },
  ],
  ['openwop-fixtures', { fixtures: ['a'] }, { fixtures: ['a', ''] }],
])('%s', (name, having, lacking) => {
  expect(deriveProfiles({ ...core, ...having })).toContain(name);
  expect(deriveProfiles({ ...core, ...lacking })).not.toContain(name);
});

test('transports without rest lose the streams', () => {
  expect(deriveProfiles({ ...core, supportedTransports: ['mcp'] })).toEqual([
    'openwop-core',
    'openwop-node-packs',
  ]);
  expect(deriveProfiles({ ...core, supportedTransports: ['rest', 'mcp'] })).toEqual(ALWAYS);
});
