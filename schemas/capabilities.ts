// The discovery document at /.well-known/openwop (HTTP §12).
import { type Static, Type } from 'typebox';
import { closed, mapOf, oneOf, open } from './build.ts';
import * as block from './capability-blocks.ts';
import { count, nonEmpty } from './common.ts';
import { AnyObject } from './json.ts';

/**
 * Every block sits at the root; `capabilities` may mirror some of them for readers that look there
 * (HTTP §12.2). Open, so vendor blocks pass; `limits` and a few others are closed.
 */
export const Capabilities = open(
  {
    protocolVersion: nonEmpty(),
    supportedEnvelopes: Type.Array(nonEmpty()),
    schemaVersions: mapOf(count()),
    limits: block.Limits,
    implementation: Type.Optional(
      closed({
        name: Type.Optional(Type.String()),
        version: Type.Optional(Type.String()),
        vendor: Type.Optional(Type.String()),
      }),
    ),
    engineVersion: Type.Optional(count()),
    eventLogSchemaVersion: Type.Optional(count()),
    minClientVersion: Type.Optional(Type.String()),
    supportedTransports: Type.Optional(Type.Array(oneOf(['rest', 'mcp', 'a2a', 'grpc']))),
    configurable: Type.Optional(AnyObject),
    observability: Type.Optional(AnyObject),
    extensions: Type.Optional(AnyObject),
    secrets: Type.Optional(block.Secrets),
    runtimeCapabilities: Type.Optional(Type.Array(nonEmpty(), { uniqueItems: true })),
    aiProviders: Type.Optional(block.AiProviders),
    testing: Type.Optional(block.Testing),
    fixtures: Type.Optional(Type.Array(nonEmpty(), { uniqueItems: true })),
    agents: Type.Optional(block.Agents),
    conversationPrimitive: Type.Optional(Type.Boolean()),
    compliance: Type.Optional(block.Compliance),
    replay: Type.Optional(block.Replay),
    debugBundle: Type.Optional(open({ supported: Type.Boolean() })),
    runs: Type.Optional(block.Runs),
    idempotency: Type.Optional(block.Idempotency),
    webhooks: Type.Optional(block.Webhooks),
    auth: Type.Optional(block.Auth),
    orchestrator: Type.Optional(block.Orchestrator),
    dispatch: Type.Optional(block.Dispatch),
    memory: Type.Optional(block.Memory),
    nodePackRuntimes: Type.Optional(block.NodePackRuntimes),
    mcp: Type.Optional(block.Mcp),
    interrupts: Type.Optional(AnyObject),
    capabilities: Type.Optional(AnyObject),
  },
  { title: 'Capabilities', description: 'What this host supports.' },
);
export type Capabilities = Static<typeof Capabilities>;
