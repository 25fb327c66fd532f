import { CommanderError, InvalidArgumentError, Option, Command as Program } from 'commander';
import { DocumentError, KinescribeError, MissingFeatureError, UsageError } from '../schemas/errors.ts';
import type { Command, CommandOption, CommandOptions } from './command.ts';
import { COMMANDS } from './commands.ts';
import { splitRosArgs } from './ros-args.ts';
import { programVersion } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done · 1 failed · 2 wrong use, nothing was done · 3 done, but with losses or faults.
Every command explains itself: kinescribe <command> --help`;

/** Runs one command line and gives its exit code; faults are told on standard error. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const { own, rosArgs } = splitRosArgs(argv);
  const program = new Program('kinescribe')
    .description('Records robot interaction into MCAP episodes, converts them to datasets, replays them.')
    .version(await programVersion())
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('Run with --help to see what it takes.')
    .exitOverride();
  for (const command of COMMANDS) {
    const node = nodeOf(program, command).action(async (...given: unknown[]) => {
      const options = given.at(-2) as CommandOptions;
      const args = given
        .slice(0, -2)
        .flat()
        .filter((each): each is string => typeof each === 'string');
      exitCode = await command.run(args, { ...options, rosArgs });
    });
    if (command.arguments) for (const argument of command.arguments.split(' ')) node.argument(argument);
    for (const option of command.options ?? []) node.addOption(optionOf(option));
  }
  try {
    await program.parseAsync(own, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

/** The place of a command in the tree; `contract check` lies in the group `contract`. */
function nodeOf(program: Program, { name, summary, examples }: Command): Program {
  const words = name.split(' ');
  let parent = program;
  for (const word of words.slice(0, -1)) {
    parent =
      parent.commands.find((each) => each.name() === word) ??
      parent.command(word).description(`Commands for a ${word}.`).exitOverride();
  }
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}   ${what}`);
  return parent
    .command(words.at(-1)!)
    .description(summary)
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
    .showHelpAfterError('Run with --help to see what it takes.')
    .exitOverride();
}

function optionOf({ flags, text, value, default: preset, required, choices }: CommandOption): Option {
  const option = new Option(flags, text);
  if (value === 'number') option.argParser(numberOf);
  if (preset !== undefined) option.default(preset);
  if (choices) option.choices(choices);
  if (required) option.makeOptionMandatory();
  return option;
}

function numberOf(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('It must be a number.');
  return number;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has spoken already
  if (error instanceof KinescribeError) {
    console.error(error.message);
    const nothingDone =
      error instanceof UsageError || error instanceof DocumentError || error instanceof MissingFeatureError;
    return nothingDone ? 2 : 1;
  }
  console.error('This is a fault of kinescribe itself. Please report it with these lines:');
  console.error(error);
  return 1;
}
