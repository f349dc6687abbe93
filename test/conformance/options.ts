/** What a conformance run needs to know, and how it is given: flags first, then OPENWOP_* variables. */
import { parseArgs } from 'node:util';

export interface ConformanceOptions {
  /** Root of the host, without a path: `http://127.0.0.1:3737`. */
  readonly baseUrl: string;
  /** A key with every scope. */
  readonly apiKey: string;
  /** Same tenant, same kind (live or test), only `manifest:read` and `runs:read`; without it the 403 checks are not claimed. */
  readonly lowScopeKey?: string;
  /** Root of a second region of the same deployment; without it the cross-region checks are not claimed. */
  readonly secondRegionUrl?: string;
  /** Shell command that starts the host in the foreground; without it the stale-claim checks are not claimed. */
  readonly staleClaimCommand?: string;
  /** Names of the scenarios to run; all of them when empty or absent. */
  readonly only?: readonly string[];
}

/** A mistake in how the suite was called. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Usage: wopr conformance --base-url <url> --api-key <key> [options]

Tests any OpenWOP 1.0 host from outside, over HTTP.

  --base-url <url>            root of the host             (OPENWOP_BASE_URL)
  --api-key <key>             a key with every scope       (OPENWOP_API_KEY)
  --low-scope-key <key>       a key with only manifest:read and runs:read (OPENWOP_TEST_LOW_SCOPE_KEY)
  --second-region-url <url>   another region of the host   (OPENWOP_SECOND_REGION_URL)
  --stale-claim-cmd <cmd>     starts the host, for the crash test, e.g. "npx wopr serve" (OPENWOP_STALE_CLAIM_CMD)
  --only <a,b>                run these scenarios only
  --list                      name the scenarios and stop
  --json                      print one JSON report
  --help                      print this text

Exit code: 0 no failure, 1 failures, 2 the host cannot be reached or the call is wrong.`;

export interface Invocation {
  readonly mode: 'run' | 'list' | 'help';
  readonly json: boolean;
  readonly options: ConformanceOptions;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line. Errors: UsageError. */
export function parseInvocation(argv: readonly string[], env: Environment): Invocation {
  const flags = parseFlags(argv);
  const json = flags.json === true;
  if (flags.help === true || flags.list === true) {
    return { mode: flags.help === true ? 'help' : 'list', json, options: { baseUrl: '', apiKey: '' } };
  }
  const text = (flag: string | undefined, name: string) => (flag ?? env[name])?.trim() || undefined;
  const baseUrl = text(flags['base-url'], 'OPENWOP_BASE_URL');
  if (baseUrl === undefined) throw new UsageError('Say which host to test: --base-url http://127.0.0.1:3737');
  const apiKey = text(flags['api-key'], 'OPENWOP_API_KEY');
  if (apiKey === undefined) throw new UsageError('Give a key with every scope: --api-key <key>');
  const optional = {
    lowScopeKey: text(flags['low-scope-key'], 'OPENWOP_TEST_LOW_SCOPE_KEY'),
    secondRegionUrl: text(flags['second-region-url'], 'OPENWOP_SECOND_REGION_URL'),
    staleClaimCommand: text(flags['stale-claim-cmd'], 'OPENWOP_STALE_CLAIM_CMD'),
  };
  const second = optional.secondRegionUrl;
  return {
    mode: 'run',
    json,
    options: {
      baseUrl: rootOf(baseUrl),
      apiKey,
      only: names(flags.only ?? []),
      ...(optional.lowScopeKey === undefined ? {} : { lowScopeKey: optional.lowScopeKey }),
      ...(second === undefined ? {} : { secondRegionUrl: rootOf(second) }),
      ...(optional.staleClaimCommand === undefined ? {} : { staleClaimCommand: optional.staleClaimCommand }),
    },
  };
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        'base-url': { type: 'string' },
        'api-key': { type: 'string' },
        'low-scope-key': { type: 'string' },
        'second-region-url': { type: 'string' },
        'stale-claim-cmd': { type: 'string' },
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function rootOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`"${url}" is not an http(s) URL.`);
  }
  return url.replace(/\/+$/, '');
}

function names(given: readonly string[]): string[] {
  return given.flatMap((list) => list.split(',')).flatMap((name) => name.trim() || []);
}
