import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import type { ChannelSpec, Message, MessageValue } from '../../schemas/message.ts';
import { createDecoder, type Decode } from '../../schemas/message-codec.ts';
import type { AddedMessage, ReplayAddition } from '../../schemas/replay-addition.ts';

/** Faster than any screen shows is a waste. */
const PERIOD_NANOS = 1_000_000_000n / 60n;

export interface DerivedTopicOptions {
  /** Topic of the file that everything is made of. */
  readonly source: string;
  readonly channel: ChannelSpec;
  /** What has to be known before the first message. @default nothing */
  readonly prepare?: () => Promise<void>;
  /** What a message of the source becomes. */
  readonly derive: (value: MessageValue, logTime: bigint) => Uint8Array;
}

/** A topic made of another, message by message, at most sixty times a second. */
export class DerivedTopic implements ReplayAddition {
  readonly channels: readonly ChannelSpec[];
  readonly #reader: EpisodeReader;
  readonly #options: DerivedTopicOptions;
  readonly #decoders = new Map<number, Decode>();
  #prepared: Promise<void> | undefined;

  constructor(reader: EpisodeReader, options: DerivedTopicOptions) {
    this.#reader = reader;
    this.#options = options;
    this.channels = [options.channel];
  }

  prepare(): Promise<void> {
    this.#prepared ??= this.#options.prepare?.() ?? Promise.resolve();
    return this.#prepared;
  }

  async *messages({
    startTime,
  }: Parameters<ReplayAddition['messages']>[0]): AsyncGenerator<AddedMessage, void> {
    let dueTime = startTime;
    for await (const message of this.#reader.messages({ topics: [this.#options.source], startTime })) {
      if (message.logTime < dueTime) continue;
      dueTime = message.logTime + PERIOD_NANOS;
      yield this.#derived(message);
    }
  }

  async latestBefore(time: bigint): Promise<readonly AddedMessage[]> {
    const { source } = this.#options;
    const message = (await this.#reader.latestBefore(time, [source])).get(source);
    return message ? [this.#derived(message)] : [];
  }

  #derived({ channel, data, logTime }: Message): AddedMessage {
    const decode = this.#decoders.get(channel.id) ?? createDecoder(channel);
    this.#decoders.set(channel.id, decode);
    const [{ topic }] = this.channels as [ChannelSpec];
    return { topic, logTime, data: this.#options.derive(decode(data), logTime) };
  }
}

/** Topics of the file that have messages of a type, whichever way ROS writes its name. */
export function topicsOfType(reader: EpisodeReader, type: string): readonly string[] {
  const found = reader.channels.values().filter(({ id, schema }) => {
    return schema?.name.replace('/msg/', '/') === type && (reader.messageCounts.get(id) ?? 0) > 0;
  });
  return [...new Set(found.map(({ topic }) => topic))];
}
