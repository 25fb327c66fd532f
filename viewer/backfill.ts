import type { Message } from '../schemas/message.ts';
import type { CancellableRead, Recording } from './recording.ts';

export interface BackfillOptions extends CancellableRead {
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
  recording: Pick<Recording, 'messages' | 'latestBefore'>,
  { time, topics, latchedDepth, signal }: BackfillOptions,
): Promise<readonly Message[]> {
  const plain = [...topics].filter((topic) => latchedDepth(topic) === 0);
  const found = [...(await recording.latestBefore(time, plain, { signal })).values()];
  for (const topic of topics) {
    const depth = latchedDepth(topic);
    if (depth > 0) found.push(...(await latched(recording, { topic, time, depth, signal })));
  }
  return found.sort((a, b) => Number(a.logTime - b.logTime));
}

async function latched(
  recording: Pick<Recording, 'messages'>,
  {
    topic,
    time,
    depth,
    signal,
  }: CancellableRead & { readonly topic: string; readonly time: bigint; readonly depth: number },
): Promise<readonly Message[]> {
  const before = { topics: [topic], endTime: time + 1n, reverse: true, signal };
  const latest = await firstOf(recording.messages(before), depth);
  // What is latched was known before the take began, though it was received a moment later.
  return latest.length > 0
    ? latest.reverse()
    : firstOf(recording.messages({ topics: [topic], startTime: time, signal }), 1);
}

async function firstOf(messages: AsyncGenerator<Message>, count: number): Promise<Message[]> {
  const first: Message[] = [];
  for await (const message of messages) {
    first.push(message);
    if (first.length >= count) break;
  }
  return first;
}
