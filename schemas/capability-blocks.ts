// Optional blocks of the discovery document, each switched on by the plugin that provides it (HTTP §12.3, §12.4).
import { Type } from 'typebox';
import { MODEL_CLASSES } from './agent-ref.ts';
import { closed, oneOf, open } from './build.ts';
import { COMPLIANCE_CLASSES, count, DRAIN_POLICIES, MaskingMode, nonEmpty } from './common.ts';
import { FORK_MODES } from './fork.ts';
import { AnyObject } from './json.ts';
import { ReasoningVerbosity } from './run-options.ts';

const unique = { uniqueItems: true };
const names = () => Type.Array(nonEmpty(), unique);
const supported = Type.Boolean();

/** Closed: other limits have no place here, however often examples show them (HTTP §12.3). */
export const Limits = closed({
  clarificationRounds: count(),
  schemaRounds: count(),
  envelopesPerTurn: count(),
  maxNodeExecutions: Type.Optional(count(1)),
});

export const Secrets = closed({
  supported,
  scopes: Type.Optional(Type.Array(oneOf(['tenant', 'user', 'run']), unique)),
  resolution: Type.Optional(oneOf(['host-managed'])),
});

export const POLICY_MODES = ['disabled', 'optional', 'required', 'restricted'] as const;

export const AiProviders = closed({
  supported: Type.Optional(names()),
  byok: Type.Optional(names()),
  policies: Type.Optional(
    closed({
      modes: Type.Array(oneOf(POLICY_MODES), unique),
      scopes: Type.Optional(names()),
      errorCode: Type.Optional(nonEmpty()),
    }),
  ),
});

export const Testing = open({
  mockProviders: Type.Optional(names()),
  testKeyPrefix: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  forceEngineVersionRange: Type.Optional(closed({ min: count(), max: count() })),
});

export const Agents = open({
  supported: Type.Optional(supported),
  profile: Type.Optional(Type.String()),
  modelClasses: Type.Optional(Type.Array(oneOf(MODEL_CLASSES), unique)),
  orchestratorPattern: Type.Optional(Type.String()),
  memoryBackends: Type.Optional(Type.Array(oneOf(['long-term']), unique)),
  orchestrator: Type.Optional(Type.Boolean()),
  dispatch: Type.Optional(Type.Boolean()),
  reasoning: Type.Optional(
    closed({
      verbosity: Type.Optional(ReasoningVerbosity),
      tokenLimit: Type.Optional(count(0, { default: 512 })),
    }),
  ),
});

export const Compliance = open({
  defaultMode: Type.Optional(MaskingMode),
  supportedClasses: Type.Optional(Type.Array(oneOf(COMPLIANCE_CLASSES), unique)),
});

export const Replay = open({ supported, modes: Type.Optional(Type.Array(oneOf(FORK_MODES), unique)) });

export const Runs = open({
  pauseResume: Type.Optional(
    open({ supported, drainPolicies: Type.Optional(Type.Array(oneOf(DRAIN_POLICIES), unique)) }),
  ),
});

export const Idempotency = open({
  supported,
  layer1RetentionSeconds: Type.Optional(count(1)),
  layer2RetentionSeconds: Type.Optional(count(1)),
  crossRegion: Type.Optional(oneOf(['single-region', 'best-effort', 'strict'])),
});

export const Webhooks = open({ supported, signatureAlgorithms: Type.Optional(names()) });

export const Auth = open({
  profiles: Type.Optional(names()),
  auditLogIntegrity: Type.Optional(AnyObject),
  oidc: Type.Optional(AnyObject),
});

export const Orchestrator = open({
  supported,
  workerIdInterpretation: Type.Optional(oneOf(['node', 'agent', 'either'])),
  fanOutSupported: Type.Optional(Type.Boolean()),
});

export const Dispatch = open({
  supported,
  models: Type.Optional(Type.Array(oneOf(['child-run']), unique)),
  fanOutSupported: Type.Optional(Type.Boolean()),
  askUserRoutings: Type.Optional(Type.Array(oneOf(['conversation', 'clarification', 'auto']), unique)),
});

export const Memory = open({
  supported,
  maxEntrySizeBytes: Type.Optional(count(1)),
  ttlSupported: Type.Optional(Type.Boolean()),
});

export const NodePackRuntimes = open({
  wasm: Type.Optional(
    open({
      supported,
      abiVersions: Type.Optional(Type.Array(count(1), { minItems: 1 })),
      engine: Type.Optional(Type.String()),
      engineVersion: Type.Optional(Type.String()),
      maxMemoryBytes: Type.Optional(count(1)),
      maxExecutionMs: Type.Optional(count(1)),
    }),
  ),
});

export const Mcp = open({ supported, serverUrls: Type.Optional(Type.Array(nonEmpty())) });
