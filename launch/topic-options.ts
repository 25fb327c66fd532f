import { chooseTopics, type TopicSet } from '../recorder/topic-choice.ts';
import type { Contract } from '../schemas/contract.ts';
import { type ContractFile, parseContract } from '../schemas/contract-file.ts';
import { UsageError } from '../schemas/errors.ts';
import type { CommandOption, CommandOptions } from './command.ts';

/** The options that {@link topicPatterns} reads. */
export const TOPIC_OPTIONS: readonly CommandOption[] = [
  { flags: '--topics <regex>', text: 'topics in whose name this is found, such as "^/arm/|camera"' },
  { flags: '--exclude <regex>', text: 'and none in whose name this is found' },
];

/** What `--topics` and `--exclude` say. @throws {UsageError} when one is no regular expression. */
export function topicPatterns({ topics, exclude }: CommandOptions): {
  readonly pattern: RegExp | undefined;
  readonly exclude: RegExp | undefined;
} {
  return { pattern: expression('--topics', topics), exclude: expression('--exclude', exclude) };
}

/** What to record: the contract's topics, and those that `--all`, `--topics` and `--exclude` choose. */
export function recordedTopics(options: CommandOptions, { streams }: Contract): TopicSet {
  const named = new Set(Object.values(streams).map(({ topic }) => topic));
  return chooseTopics({ named, all: options.all === true, ...topicPatterns(options) });
}

/**
 * The contract of a recording without one: it promises no stream and makes no sample.
 *
 * @throws {UsageError} when nothing else says what to record.
 */
export function contractOfNothing({ all, topics, task }: CommandOptions): ContractFile {
  if (all !== true && topics === undefined) {
    throw new UsageError(
      'Nothing says what to record: give --contract <file>, --all, or --topics <regex>. ' +
        '"kinescribe contract init" drafts a contract from the running robot.',
    );
  }
  const text = `kinescribe: 1
name: recording
robot: { model: unknown }
streams: {}
features: {}
samples: { tickRateHz: 30 }
episode: { tasks: [${JSON.stringify(String(task ?? 'not told'))}], maxDurationSecs: 86400 }
`;
  return parseContract(text, 'the contract of nothing');
}

function expression(flag: string, text: CommandOptions[string]): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(String(text));
  } catch (cause) {
    throw new UsageError(
      `${flag} "${text}" is no regular expression: ${(cause as Error).message}. Give one such as "^/arm/|camera".`,
      { cause },
    );
  }
}
