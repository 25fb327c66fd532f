import { writeFile } from 'node:fs/promises';
import { readContract } from '../../schemas/contract-file.ts';
import { EPISODE_SUFFIX } from '../../schemas/episode.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { UsageError } from '../../schemas/errors.ts';
import { contractOf } from '../../viewer/episode-facts.ts';
import { LAYOUT_FORMATS, layoutOf } from '../../viewer/layout.ts';
import { addedTopics, contractTopics, type LayoutTopic, layoutTopics } from '../../viewer/layout-topics.ts';
import { RECORDING_TOPICS } from '../../viewer/recording-topics.ts';
import { addedChannels, replayAdditions } from '../replay-additions/replay-additions.ts';

export interface LayoutOptions {
  /** `lichtblick`, which older Foxglove reads too, or `foxglove`, its new format. @default 'lichtblick' */
  readonly format?: string;
  /** Whether it is for a recording that is under way; needs a contract. @default false */
  readonly isLive?: boolean;
  /** File to write. @default standard output */
  readonly output?: string;
}

/**
 * Writes a layout for the streams of a contract or an episode.
 *
 * @throws {UsageError} when the format is unknown or the file cannot be read.
 */
export async function layout(path: string, options: LayoutOptions = {}): Promise<number> {
  const { format: wanted = 'lichtblick', output, isLive = false } = options;
  const format = LAYOUT_FORMATS.find((each) => each === wanted);
  if (!format) {
    throw new UsageError(
      `Cannot write a layout: format must be one of ${LAYOUT_FORMATS.join(', ')}, found "${wanted}".`,
    );
  }
  const text = `${JSON.stringify(layoutOf(await topicsOf(path, isLive), format), null, 2)}\n`;
  if (output) await writeFile(output, text);
  else process.stdout.write(text);
  return 0;
}

async function topicsOf(path: string, isLive: boolean): Promise<readonly LayoutTopic[]> {
  if (isLive && path.endsWith(EPISODE_SUFFIX)) {
    throw new UsageError(
      `Cannot write a layout of what is live for "${path}": that is an episode; give the contract that is recorded under.`,
    );
  }
  if (!path.endsWith(EPISODE_SUFFIX)) {
    const { contract } = await readContract(path);
    const added = isLive ? RECORDING_TOPICS.map(({ channel }) => channel) : addedChannels(contract);
    return [...contractTopics(contract), ...addedTopics(added)];
  }
  await using reader = await EpisodeReader.open(path);
  const recorded = await layoutTopics(reader, await contractOf(reader));
  const added = (await replayAdditions()(reader)).flatMap(({ channels }) => channels);
  return [...recorded, ...addedTopics(added)];
}
