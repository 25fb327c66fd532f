import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { encodeMessageData } from './protocol-server.ts';

export interface TopicMessagesOptions {
  readonly topic: string;
  /** Above this many the messages are thinned out evenly in time. */
  readonly maxMessages: number;
}

/** Bytes gathered before they go out; one write per message costs more than the message. */
const BLOCK_BYTES = 64 * 1024;

/**
 * All messages of a topic at once, for plots of a whole episode: each a MessageData frame of the protocol
 * (subscription 0), behind its length as a little-endian uint32. Undecoded like everything that is sent.
 */
export async function* topicMessages(
  reader: EpisodeReader,
  { topic, maxMessages }: TopicMessagesOptions,
): AsyncGenerator<Uint8Array> {
  const count = reader.channels
    .values()
    .filter((channel) => channel.topic === topic)
    .reduce((sum, { id }) => sum + (reader.messageCounts.get(id) ?? 0), 0);
  const durationNanos = reader.endTime - reader.startTime;
  const periodNanos = count > maxMessages ? durationNanos / BigInt(maxMessages) + 1n : 0n;
  let nextTime = reader.startTime;
  let block: Uint8Array[] = [];
  let blockBytes = 0;
  for await (const { logTime, data } of reader.messages({ topics: [topic] })) {
    if (logTime < nextTime) continue;
    nextTime =
      periodNanos === 0n ? logTime : nextTime + periodNanos * ((logTime - nextTime) / periodNanos + 1n);
    const frame = encodeMessageData(0, logTime, data);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, frame.byteLength, true);
    block.push(length, frame);
    blockBytes += 4 + frame.byteLength;
    if (blockBytes < BLOCK_BYTES) continue;
    yield Buffer.concat(block);
    block = [];
    blockBytes = 0;
  }
  if (blockBytes > 0) yield Buffer.concat(block);
}
