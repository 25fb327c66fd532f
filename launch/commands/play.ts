import { openRosNode } from '../../recorder/ros-node.ts';
import { playIntoRos } from '../../recorder/ros-playback.ts';
import { chooseTopics } from '../../recorder/topic-choice.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';
import { rosArgsOf } from '../ros-args.ts';
import { topicPatterns } from '../topic-options.ts';

/** As often as rosbag2's player. */
const CLOCK_HZ = 40;

/** `kinescribe play`: publishes an episode back into ROS 2 until its end, or Ctrl+C. */
export async function play([file = '']: readonly string[], options: CommandOptions): Promise<number> {
  const { pattern, exclude } = topicPatterns(options);
  const names = parseRemaps(options.remap);
  const rate = positive('--rate', options.rate);
  await using episode = await EpisodeReader.open(file);
  const ending = new AbortController();
  const end = () => ending.abort();
  const node = await openRosNode({
    name: 'kinescribe_player',
    args: rosArgsOf(options),
    onFault(error) {
      throw error; // nothing of ours is called from there
    },
  });
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    const { messageCount, topicCount, longestDelaySecs } = await playIntoRos(episode, node, {
      rate,
      loop: options.loop === true,
      startSecs: Number(options.start),
      delaySecs: Number(options.delay),
      topics: chooseTopics({ all: pattern === undefined, pattern, exclude }),
      names,
      ...(options.clock !== undefined && {
        clockHz: options.clock === true ? CLOCK_HZ : positive('--clock', options.clock),
      }),
      signal: ending.signal,
      onWarning: (message) => console.error(message),
    });
    const late = `the latest ${(longestDelaySecs * 1000).toFixed(0)} ms after it was due`;
    console.log(`Published ${messageCount} messages on ${topicCount} topics, ${late}.`);
    return 0;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    node.close();
  }
}

/** `/from:=/to` by recorded name. @throws {UsageError} when one is not of that form. */
function parseRemaps(remaps: CommandOptions[string]): ReadonlyMap<string, string> {
  const texts = Array.isArray(remaps) ? remaps.map(String) : [];
  return new Map(
    texts.map((text) => {
      const [, from, to] = /^(\/[\w/]+):=(\/[\w/]+)$/.exec(text) ?? [];
      if (from === undefined || to === undefined) {
        throw new UsageError(`--remap "${text}" is not of the form "/recorded/name:=/new/name".`);
      }
      return [from, to] as const;
    }),
  );
}

function positive(flag: string, value: CommandOptions[string]): number {
  const number = Number(value);
  if (number > 0) return number;
  throw new UsageError(`${flag} ${value} is not more than 0. Give a number such as 0.5 or 2.`);
}
