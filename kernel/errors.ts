/** The one error catalogue: every code wopr raises, its HTTP status, retry class and hint. Documented in `docs/errors.md`. */
import type { JsonObject } from '../schemas/json.ts';

/** When the same request may be tried again. `after-delay` answers carry `Retry-After` where HTTP is spoken. */
export type RetryClass = 'never' | 'after-change' | 'after-delay';

export interface ErrorEntry {
  /** HTTP status, or `null` for codes that only end a run or stop a boot and are never a response of their own. */
  readonly status: number | null;
  readonly retry: RetryClass;
  /** What the reader should do next, one sentence. */
  readonly hint: string;
}

export const ERROR_CATALOGUE = {
  // Over HTTP (HTTP §6.3)
  unauthenticated: {
    status: 401,
    retry: 'after-change',
    hint: 'Send "Authorization: Bearer <key>" with a valid API key.',
  },
  key_expired: {
    status: 401,
    retry: 'after-change',
    hint: 'The API key is past its expiry; create a new one with "wopr keys create".',
  },
  key_revoked: { status: 401, retry: 'after-change', hint: 'The API key was revoked; use another one.' },
  forbidden: {
    status: 403,
    retry: 'after-change',
    hint: 'The key lacks the scope in details.scopeRequired or may not use this tenant.',
  },
  validation_error: { status: 400, retry: 'after-change', hint: 'Correct the fields listed in details.' },
  not_found: {
    status: 404,
    retry: 'after-change',
    hint: 'The resource does not exist or is not visible to this key.',
  },
  method_not_allowed: {
    status: 405,
    retry: 'after-change',
    hint: 'Use one of the methods listed in the Allow header.',
  },
  conflict: {
    status: 409,
    retry: 'after-change',
    hint: 'The resource is in a state that does not allow this.',
  },
  run_already_active: {
    status: 409,
    retry: 'after-delay',
    hint: 'Another run holds this tenant and scope; wait for details.activeRunId to finish.',
  },
  idempotency_in_flight: {
    status: 409,
    retry: 'after-delay',
    hint: 'The first request with this Idempotency-Key is still executing.',
  },
  idempotency_key_mismatch: {
    status: 409,
    retry: 'after-change',
    hint: 'This Idempotency-Key was used with a different request; choose a new key.',
  },
  gone: { status: 410, retry: 'never', hint: 'The resource existed and was removed by retention.' },
  payload_too_large: {
    status: 413,
    retry: 'after-change',
    hint: 'Send a smaller body; the limit is in details.limitBytes.',
  },
  unsupported_media_type: {
    status: 415,
    retry: 'after-change',
    hint: 'Send "Content-Type: application/json".',
  },
  headers_too_large: { status: 431, retry: 'after-change', hint: 'Send fewer or shorter request headers.' },
  client_too_old: {
    status: 426,
    retry: 'after-change',
    hint: 'Upgrade the client to at least minClientVersion of the discovery document.',
  },
  rate_limited: { status: 429, retry: 'after-delay', hint: 'Wait for Retry-After seconds.' },
  service_unavailable: {
    status: 503,
    retry: 'after-delay',
    hint: 'The host is at capacity, starting or stopping; wait for Retry-After seconds.',
  },
  internal_error: {
    status: 500,
    retry: 'after-delay',
    hint: 'Unexpected failure; quote details.correlationId to the operator.',
  },
  request_timeout: {
    status: 408,
    retry: 'after-delay',
    hint: 'The request was not received completely in time.',
  },
  unsupported_stream_mode: { status: 400, retry: 'after-change', hint: 'Use one of details.supported.' },
  mock_provider_forbidden: { status: 403, retry: 'after-change', hint: 'Mock providers need a test key.' },
  unsupported_mock_provider: {
    status: 400,
    retry: 'after-change',
    hint: 'Use a mock provider from testing.mockProviders of the discovery document.',
  },
  credential_forbidden: {
    status: 403,
    retry: 'after-change',
    hint: 'ai.credentialRef needs a provider from aiProviders.byok of the discovery document.',
  },
  force_engine_version_forbidden: {
    status: 403,
    retry: 'after-change',
    hint: 'X-Force-Engine-Version needs a test key.',
  },
  unsupported_force_engine_version: {
    status: 400,
    retry: 'after-change',
    hint: 'Use a version between details.min and details.max.',
  },
  engine_version_mismatch: {
    status: 409,
    retry: 'after-change',
    hint: 'The run was stored by a newer engine; upgrade this host.',
  },

  // Ending a run or a node (HTTP §6.4)
  recursion_limit_exceeded: {
    status: null,
    retry: 'after-change',
    hint: 'The run started more nodes than recursionLimit or the host allows.',
  },
  cap_breached: { status: null, retry: 'after-change', hint: 'A node exceeded the cap named in details.' },
  loopback_limit_exceeded: {
    status: null,
    retry: 'after-change',
    hint: 'A loop ran more often than settings.maxLoopbackIterations; raise it or fix the exit condition.',
  },
  capability_not_provided: {
    status: null,
    retry: 'after-change',
    hint: 'Enable a plugin that provides details.capability.',
  },
  unsupported_node_type: {
    status: null,
    retry: 'after-change',
    hint: 'Enable a plugin or install a pack that provides this node type.',
  },
  run_timeout: { status: null, retry: 'after-change', hint: 'The run took longer than settings.timeout.' },
  node_aborted: {
    status: null,
    retry: 'never',
    hint: 'The run was cancelled or the host stopped while the node ran.',
  },
  node_timeout: { status: null, retry: 'after-delay', hint: 'The node took longer than its deadline.' },
  node_error: {
    status: null,
    retry: 'after-change',
    hint: 'The node threw an error that carries no code of its own.',
  },
  dispatch_failed: {
    status: null,
    retry: 'after-delay',
    hint: 'The node could not be handed to a worker or its worker died too often.',
  },
  conformance_test_failure: { status: null, retry: 'never', hint: 'core.fail fails on purpose.' },

  // Stopping a boot or a command
  config_invalid: { status: null, retry: 'after-change', hint: 'Fix the named configuration key.' },
  plugin_manifest_invalid: {
    status: null,
    retry: 'after-change',
    hint: 'Fix the plugin.json at the named path.',
  },
  plugin_incompatible: {
    status: null,
    retry: 'after-change',
    hint: 'Install a release of the plugin whose "kernel" range fits this host.',
  },
  plugin_duplicate: { status: null, retry: 'after-change', hint: 'Remove or disable one of the two.' },
  plugin_requirement_missing: {
    status: null,
    retry: 'after-change',
    hint: 'Enable or install what the plugin requires.',
  },
  plugin_requirement_cycle: {
    status: null,
    retry: 'after-change',
    hint: 'Break the cycle of requirements named in the message.',
  },
  plugin_registration_undeclared: {
    status: null,
    retry: 'after-change',
    hint: 'Declare the contribution in plugin.json.',
  },
  plugin_registration_missing: {
    status: null,
    retry: 'after-change',
    hint: 'Register what plugin.json declares, or remove the declaration.',
  },
  plugin_activation_failed: {
    status: null,
    retry: 'after-change',
    hint: 'See the cause; disable the plugin to start without it.',
  },
  store_corrupt: { status: null, retry: 'never', hint: 'Run "wopr doctor" and restore a backup.' },
  store_newer: {
    status: null,
    retry: 'after-change',
    hint: 'The data directory was written by a newer wopr; upgrade this host.',
  },
  claim_lost: { status: null, retry: 'never', hint: 'Another host took the run over; nothing was written.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface WoprErrorOptions {
  readonly details?: JsonObject;
  /** Whole seconds for `Retry-After`; only meaningful with retry class `after-delay`. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An error with a code from the catalogue. `message` is safe to show to the caller: no secrets, no implementation detail. */
export class WoprError extends Error {
  override readonly name = 'WoprError';
  readonly code: ErrorCode;
  readonly details: JsonObject | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: WoprErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}
