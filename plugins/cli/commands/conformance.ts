/** `wopr conformance`: hands the rest of the command line to the black-box suite. */
import type { Command } from 'commander';
import { type CommandContext, CommandFailure, EXIT } from '../../../kernel/commands.ts';

const SUITE = new URL('../../../test/conformance/cli.ts', import.meta.url).href;

interface Suite {
  main(argv: readonly string[]): Promise<number | undefined> | number | undefined;
}

export function define(program: Command, context: CommandContext): void {
  program
    .command('conformance')
    .description('Tests any OpenWOP host against the protocol, from outside.')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const { main } = await suite();
      const code = await main(context.json ? [...context.argv, '--json'] : context.argv);
      if (typeof code === 'number') context.exit(code);
    });
}

/** The suite belongs to the repository, not to an installed package. */
async function suite(): Promise<Suite> {
  try {
    return (await import(SUITE)) as Suite;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandFailure(
      EXIT.failed,
      'not_found',
      'The conformance suite is not part of this installation.',
      {
        hint: 'Run it from a checkout of the repository after "npm ci".',
        cause: error,
      },
    );
  }
}
