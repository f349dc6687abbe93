/** The text of `wopr --help`: what exists, how one starts, which names the environment knows. */
import type { FoundCommand } from '../commands.ts';
import { GLOBAL_FLAGS } from './flags.ts';

const EXAMPLES: readonly (readonly [command: string, meaning: string])[] = [
  ['wopr run hello.json --watch', 'run a workflow file here and now; needs no host'],
  ['wopr serve', 'serve the HTTP API; runs survive a crash and go on'],
  ['wopr runs list --status failed', 'what went wrong; then: wopr runs show <id>'],
];

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['OPENWOP_HOST, OPENWOP_PORT', 'where "wopr serve" listens'],
  ['OPENWOP_DATA_DIR, OPENWOP_SQLITE_PATH', 'where runs are stored'],
  ['OPENWOP_API_KEY', 'bootstrap key of a host; key that clients send'],
  ['OPENWOP_BASE_URL', 'host that run, runs and workflow talk to'],
  ['OPENWOP_CLAIM_TTL_MS', 'how soon the runs of a crashed host are taken over'],
  ['OPENWOP_NATS_URL', 'NATS server of the nats dispatcher and "wopr worker"'],
];

const OTHER_GROUP = 'More';

/** Help of the bin itself; a command's own help comes from the command. */
export function usage(version: string, commands: readonly FoundCommand[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length), 8);
  const groups = Map.groupBy(commands, ({ group }) => group ?? OTHER_GROUP);
  const sections = [...groups].map(([title, members]) =>
    section(
      title,
      members.map(({ name, summary }) => [name, summary] as const),
      width,
    ),
  );
  return [
    `wopr ${version}: a host for OpenWOP workflows`,
    '',
    'Usage: wopr <command> [arguments] [flags]',
    '',
    ...sections,
    section('Examples', EXAMPLES),
    section('Flags of every command', GLOBAL_FLAGS),
    section('Environment', ENVIRONMENT),
    'wopr <command> --help shows the arguments and examples of one command.',
    '',
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[], width?: number): string {
  const column = width ?? Math.max(...rows.map(([left]) => left.length));
  return `${title}\n${rows.map(([left, right]) => `  ${left.padEnd(column)}  ${right}`).join('\n')}\n`;
}
