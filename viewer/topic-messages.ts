import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { MessageError } from '../schemas/errors.ts';
import type { Channel, Message, MessageValue } from '../schemas/message.ts';
import { createDecoder, type Decode } from '../schemas/message-codec.ts';
import { plotsOf, type ReadNumber, readersOf } from './plots.ts';
import { encodeMessageData } from './protocol-server.ts';

export interface TopicMessagesOptions {
  readonly topic: string;
  /** Above this many the messages are thinned out; what stays are the extremes of every line that is plotted. */
  readonly maxMessages: number;
}

/** Bytes gathered before they go out; one write per message costs more than the message. */
const BLOCK_BYTES = 64 * 1024;

/**
 * All messages of a topic at once, for plots of a whole episode: each a MessageData frame of the protocol
 * (subscription 0), behind its length as a little-endian uint32. The bytes are those of the file.
 */
export async function* topicMessages(
  reader: EpisodeReader,
  { topic, maxMessages }: TopicMessagesOptions,
): AsyncGenerator<Uint8Array> {
  let block: Uint8Array[] = [];
  let blockBytes = 0;
  for await (const { logTime, data } of chosenMessages(reader, { topic, maxMessages })) {
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

type Stored = Pick<Message, 'logTime' | 'data'>;

async function* chosenMessages(
  reader: EpisodeReader,
  { topic, maxMessages }: TopicMessagesOptions,
): AsyncGenerator<Stored> {
  const channels = [...reader.channels.values()].filter((channel) => channel.topic === topic);
  const count = channels.reduce((sum, { id }) => sum + (reader.messageCounts.get(id) ?? 0), 0);
  const messages = reader.messages({ topics: [topic] });
  if (count <= maxMessages) {
    yield* messages;
    return;
  }
  let readers: readonly ReadNumber[] | undefined;
  let part: Extremes | undefined;
  let endTime = 0n;
  const decoders = new Map<Channel, Decode | undefined>();
  for await (const message of messages) {
    const value = decoded(message, decoders);
    readers ??= value ? plottedNumbers(message.channel, value) : [];
    if (part && message.logTime >= endTime) {
      yield* part.messages();
      part = undefined;
    }
    if (!part) {
      // Each part keeps a smallest and a largest of each line; one message where nothing is plotted.
      const parts = BigInt(Math.max(1, Math.floor(maxMessages / Math.max(1, 2 * readers.length))));
      const partNanos = (reader.endTime - reader.startTime) / parts + 1n;
      endTime = reader.startTime + ((message.logTime - reader.startTime) / partNanos + 1n) * partNanos;
      part = new Extremes(message);
    }
    if (value)
      part.add(
        message,
        readers.map((read) => read(value)),
      );
  }
  if (part) yield* part.messages();
}

/** The messages of a part of the time in which some line is smallest or largest. */
class Extremes {
  readonly #first: Stored;
  readonly #least: { value: number; message: Stored }[] = [];
  readonly #most: { value: number; message: Stored }[] = [];

  constructor(first: Stored) {
    this.#first = first;
  }

  add(message: Stored, values: readonly number[]): void {
    for (const [line, value] of values.entries()) {
      if (!Number.isFinite(value)) continue;
      if (!(value >= (this.#least[line]?.value ?? Number.POSITIVE_INFINITY)))
        this.#least[line] = { value, message };
      if (!(value <= (this.#most[line]?.value ?? Number.NEGATIVE_INFINITY)))
        this.#most[line] = { value, message };
    }
  }

  /** Each once, in order of time. */
  messages(): readonly Stored[] {
    const kept = new Set(
      [...this.#least, ...this.#most].flatMap((extreme) => (extreme ? [extreme.message] : [])),
    );
    if (kept.size === 0) return [this.#first];
    return [...kept].sort((a, b) => Number(a.logTime - b.logTime));
  }
}

/** Undefined for what nobody can decode, which is then thinned evenly in time. */
function decoded({ channel, data }: Message, decoders: Map<Channel, Decode | undefined>) {
  try {
    if (!decoders.has(channel)) {
      decoders.set(channel, undefined);
      decoders.set(channel, createDecoder(channel));
    }
    return decoders.get(channel)?.(data);
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

function plottedNumbers({ schema }: Channel, sample: MessageValue): readonly ReadNumber[] {
  const type = (schema?.name ?? '').replace('/msg/', '/');
  return plotsOf({ type, sample, elementNames: [] }).flatMap(readersOf);
}
