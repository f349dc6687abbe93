// The black-box suite against this host, as an operator runs it: every MUST of what the host claims, in two passes that together turn
// on all it can claim.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Report } from '../conformance/report.ts';
import { HostChild } from '../support/host-child.ts';

const MAIN = fileURLToPath(new URL('../../kernel/main.ts', import.meta.url));
const SUITE_MS = 180_000;

let dataDir: string;
let host: HostChild | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'wopr-conformance-'));
});

afterEach(async () => {
  await host?.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

async function suite(key: string, env: Record<string, string>, args: readonly string[]): Promise<Report> {
  host = new HostChild({
    dataDir,
    key,
    env: { OPENWOP_CONFORMANCE_FIXTURES: '1', OPENWOP_DEVELOPMENT: 'true', ...env },
  });
  const command = [
    MAIN,
    'conformance',
    '--json',
    '--base-url',
    await host.ready(),
    '--api-key',
    key,
    ...args,
  ];
  const { VITEST: _vitest, ...clean } = process.env;
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, command, { env: clean, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      // Exit code 1 means that requirements failed; the report says which.
      if (error && stdout === '') reject(error);
      else resolve(stdout);
    });
  });
  return JSON.parse(output) as Report;
}

const verdicts = ({ requirements }: Report, verdict: string) =>
  requirements.filter((requirement) => requirement.verdict === verdict).map(({ id }) => id);

it(
  'proves every requirement it claims, a takeover after kill -9 included',
  async () => {
    const low = 'hk_live_low_scope_of_the_suite';
    const report = await suite('hk_live_bootstrap_of_the_suite', { OPENWOP_TEST_LOW_SCOPE_KEY: low }, [
      '--low-scope-key',
      low,
      '--stale-claim-cmd',
      `"${process.execPath}" "${MAIN}" serve`,
    ]);
    expect(verdicts(report, 'failed')).toEqual([]);
    // The modes that belong to later releases are the one SHOULD this host does not meet.
    expect(verdicts(report, 'warning')).toEqual(['stream.all-modes']);
    expect(report.ok).toBe(true);
    expect(report.summary.proven).toBeGreaterThan(165);
  },
  SUITE_MS,
);

it(
  'proves what only test keys and tight limits turn on',
  async () => {
    const limits = {
      OPENWOP_PLUGINS__RATE_LIMIT__CONFIG__ANONYMOUS__REQUESTS_PER_SECOND: '20',
      OPENWOP_PLUGINS__RATE_LIMIT__CONFIG__ANONYMOUS__BURST: '40',
    };
    const report = await suite('hk_test_bootstrap_of_the_suite', limits, [
      '--only',
      'rate-limit-envelope,version-negotiation',
    ]);
    expect(verdicts(report, 'failed')).toEqual([]);
    expect(verdicts(report, 'passed')).toEqual(
      expect.arrayContaining([
        'http.rate-limit.retry-after',
        'http.rate-limit.details',
        'version.force.in-range',
      ]),
    );
  },
  SUITE_MS,
);
