/** `wopr keys`: create, list, revoke, rotate. Works on the data folder, with or without a running host. */
import type { Command } from 'commander';
import { type CommandContext, usageError } from '../../../kernel/commands.ts';
import { nearest } from '../../../schemas/nearest.ts';
import type { ApiKey, ApiKeys, IssuedApiKey } from '../../api-keys/contract.ts';
import { collect, colorsOf, examples, printJson, printLines, table } from '../print.ts';
import { parseTime, parseTimeSpan } from '../time-span.ts';

interface CreateOptions {
  readonly scope?: readonly string[];
  readonly tenant?: readonly string[];
  readonly test?: boolean;
  readonly expires?: string;
}

export function define(program: Command, context: CommandContext): void {
  const keys = program
    .command('keys')
    .description(
      'Creates, lists, revokes and rotates API keys. A running host sees changes within a second.',
    );
  examples(keys, ['wopr keys create ci', 'wopr keys list', 'wopr keys rotate <key id> --grace 1h']);

  const create = keys
    .command('create')
    .description('Creates a key and shows it, this once: only its hash is stored.')
    .argument('<label>', 'who or what the key is for')
    .option('-s, --scope <scope>', 'a scope such as runs:read; may be repeated (default: all)', collect)
    .option(
      '--tenant <id>',
      'a tenant it may act for, the first being its default; may be repeated (default: default)',
      collect,
    )
    .option('--test', 'a test key: may use mock providers and forced engine versions')
    .option('--expires <when>', 'a time span such as 90d or 12h, or a date such as 2030-01-31')
    .action((label: string, options: CreateOptions) => createKey(label, options, context));
  examples(create, [
    'wopr keys create ci --expires 90d',
    'wopr keys create dashboard --scope runs:read --scope manifest:read',
    'export OPENWOP_API_KEY=$(wopr keys create me --json | jq -r .secret)',
  ]);

  const list = keys
    .command('list')
    .description('Lists every key, never the keys themselves.')
    .action(() => listKeys(context));
  examples(list, ['wopr keys list', 'wopr keys list --json']);

  const revoke = keys
    .command('revoke')
    .description('Ends a key for good.')
    .argument('<keyId>')
    .action((keyId: string) => revokeKey(keyId, context));
  examples(revoke, ['wopr keys revoke <key id>']);

  const rotate = keys
    .command('rotate')
    .description('Makes a successor with the same rights; both keys work until the grace period is over.')
    .argument('<keyId>')
    .option('--grace <span>', 'how long the old key goes on working', '24h')
    .action((keyId: string, options: { grace: string }) => rotateKey(keyId, options.grace, context));
  examples(rotate, ['wopr keys rotate <key id>', 'wopr keys rotate <key id> --grace 15m']);
}

async function createKey(label: string, options: CreateOptions, context: CommandContext): Promise<void> {
  const expiresAt = options.expires === undefined ? undefined : parseTime(options.expires, Date.now());
  await withKeys(context, async (keys, scopes) => {
    for (const scope of options.scope ?? []) refuseSlip(scope, scopes);
    const issued = await keys.create({
      label,
      scopes: options.scope ?? scopes,
      test: options.test === true,
      ...(options.tenant === undefined ? {} : { tenantIds: options.tenant }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    if (context.json) printJson(context, issued);
    else printLines(context, issuedLines(issued, context));
  });
}

/** Plugins may have scopes of their own, so an unknown scope is refused only when it looks like a slip for a known one. */
function refuseSlip(scope: string, known: readonly string[]): void {
  const meant = known.includes(scope) ? null : nearest(scope, known);
  if (meant !== null) throw usageError(`Unknown scope "${scope}".`, `The nearest one is "${meant}".`);
}

function issuedLines({ key, secret }: IssuedApiKey, context: CommandContext): string[] {
  const colors = colorsOf(context);
  return [
    colors.bold(secret),
    colors.dim(`Keep it now: it is not stored and cannot be shown again. Its id is ${key.keyId}.`),
    colors.dim(
      'Clients send it as "Authorization: Bearer <key>"; the commands of wopr read OPENWOP_API_KEY.',
    ),
  ];
}

async function listKeys(context: CommandContext): Promise<void> {
  await withKeys(context, async (keys, scopes) => {
    const all = keys.list();
    if (context.json) return printJson(context, { keys: all });
    if (all.length === 0) return printLines(context, ['No keys. Create one: wopr keys create <label>']);
    const [head = '', ...lines] = table(
      [
        ['KEY ID', 'LABEL', 'KIND', 'STATUS', 'EXPIRES', 'TENANTS', 'SCOPES'],
        ...all.map((key) => row(key, scopes)),
      ],
      context.stdout.columns,
    );
    printLines(context, [colorsOf(context).bold(head), ...lines]);
  });
}

function row(key: ApiKey, known: readonly string[]): string[] {
  const expires = key.expiresAt?.replace(/\.\d+Z$/, 'Z') ?? 'never';
  return [
    key.keyId,
    key.label,
    key.test ? 'test' : 'live',
    key.status,
    expires,
    key.tenantIds.join(' '),
    known.every((scope) => key.scopes.includes(scope)) ? 'all' : key.scopes.join(' '),
  ];
}

async function revokeKey(keyId: string, context: CommandContext): Promise<void> {
  await withKeys(context, async (keys) => {
    const key = await keys.revoke(keyId);
    if (context.json) printJson(context, { key });
    else printLines(context, [`${key.keyId} (${key.label}) ${key.status}`]);
  });
}

async function rotateKey(keyId: string, grace: string, context: CommandContext): Promise<void> {
  const graceMs = parseTimeSpan(grace);
  if (graceMs === undefined)
    throw usageError(`--grace ${grace} is not a time span.`, 'For example: 15m, 24h, 7d');
  await withKeys(context, async (keys) => {
    const issued = await keys.rotate(keyId, graceMs / 1000);
    if (context.json) return printJson(context, issued);
    printLines(context, [
      ...issuedLines(issued, context),
      `The old key works until ${issued.replaced.expiresAt ?? 'revoked'}.`,
    ]);
  });
}

/** The key store of the data folder, and every known scope. */
async function withKeys(
  context: CommandContext,
  use: (keys: ApiKeys, scopes: readonly string[]) => Promise<void>,
): Promise<void> {
  const { openKeyStore, SCOPES } = await import('../../api-keys/contract.ts');
  const kernel = await context.openKernel('tool');
  try {
    await use(openKeyStore(kernel.services.database), SCOPES);
  } finally {
    await kernel.stop();
  }
}
