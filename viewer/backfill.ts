import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { Message } from '../schemas/message.ts';

export interface BackfillOptions {
  readonly time: bigint;
  readonly topics: ReadonlySet<string>;
  /** How many of a latched topic's last messages to find; 0 for a topic that is not latched. */
  readonly latchedDepth: (topic: string) => number;
}

/**
 * What a client must see at an instant: per topic the last message at or before it, of latched topics the
 * last ones of all publishers. In order of log time.
 */
export async function backfill(
  recording: Pick<EpisodeReader, 'messages' | 'latestBefore'>,
  { time, topics, latchedDepth }: BackfillOptions,
): Promise<readonly Message[]> {
  const plain = [...topics].filter((topic) => latchedDepth(topic) === 0);
  const found = [...(await recording.latestBefore(time, plain)).values()];
  for (const topic of topics) {
    const depth = latchedDepth(topic);
    if (depth > 0) found.push(...(await latched(recording, { topic, time, depth })));
  }
  return found.sort((a, b) => Number(a.logTime - b.logTime));
}

async function latched(
  recording: Pick<EpisodeReader, 'messages'>,
  { topic, time, depth }: { readonly topic: string; readonly time: bigint; readonly depth: number },
): Promise<readonly Message[]> {
  const before = { topics: [topic], endTime: time + 1n, reverse: true };
  const latest = await firstOf(recording.messages(before), depth);
  // What is latched was known before the take began, though it was received a moment later.
  return latest.length > 0
    ? latest.reverse()
    : firstOf(recording.messages({ topics: [topic], startTime: time }), 1);
}

async function firstOf(messages: AsyncGenerator<Message>, count: number): Promise<Message[]> {
  const first: Message[] = [];
  for await (const message of messages) {
    first.push(message);
    if (first.length >= count) break;
  }
  return first;
}
