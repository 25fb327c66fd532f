import type { EpisodeReader, ReadOptions } from '../schemas/episode-reader.ts';
import type { Channel, Message } from '../schemas/message.ts';
import type { AddedMessage, ReplayAddition } from '../schemas/replay-addition.ts';
import type { CancellableRead, Recording } from './recording.ts';

/** Channel ids of a file end at 65,535. */
const FIRST_ADDED_ID = 1 << 16;

/** A file and what is added to it, read as one. An addition that fails ends; the file goes on. */
export class ComposedRecording implements Recording {
  readonly startTime: bigint;
  readonly endTime: bigint;
  /** Of the additions; ids lie above those of any file. */
  readonly addedChannels: readonly Channel[];
  readonly computedTopics: ReadonlySet<string>;
  readonly #reader: EpisodeReader;
  readonly #additions: readonly ReplayAddition[];
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #failed: (error: unknown) => void;

  constructor(reader: EpisodeReader, additions: readonly ReplayAddition[], failed: (error: unknown) => void) {
    this.#reader = reader;
    this.#additions = additions;
    this.#failed = failed;
    this.startTime = reader.startTime;
    this.endTime = reader.endTime;
    const specs = additions.flatMap(({ channels }) => channels);
    this.addedChannels = specs.map((spec, index) => ({ ...spec, id: FIRST_ADDED_ID + index }));
    this.#channels = new Map(this.addedChannels.map((channel) => [channel.topic, channel]));
    this.computedTopics = new Set(this.#channels.keys());
  }

  /** Resolves when the topic can be read. @throws whatever makes that impossible. */
  async prepare(topic: string): Promise<void> {
    await this.#additionOf(topic)?.prepare?.();
  }

  messages({ signal, ...options }: ReadOptions & CancellableRead): AsyncGenerator<Message> {
    const topics = new Set(options.topics);
    const recorded = this.#reader.messages({ ...options, topics: topics.difference(this.computedTopics) });
    const { startTime = this.startTime } = options;
    const added = this.#asked(topics).map(({ addition, topics }) =>
      this.#guarded(addition.messages({ topics, startTime, signal })),
    );
    return added.length === 0 ? recorded : merged([recorded, ...added]);
  }

  async latestBefore(
    time: bigint,
    topics: Iterable<string>,
    { signal }: CancellableRead,
  ): Promise<ReadonlyMap<string, Message>> {
    const wanted = new Set(topics);
    const recorded = wanted.difference(this.computedTopics);
    const found = new Map(recorded.size > 0 ? await this.#reader.latestBefore(time, recorded) : []);
    const answers = this.#asked(wanted).map(async ({ addition, topics }) => {
      const messages = await addition.latestBefore(time, { topics, signal }).catch(this.#failed);
      for (const message of messages ?? []) found.set(message.topic, this.#message(message));
    });
    await Promise.all(answers);
    return found;
  }

  #asked(topics: ReadonlySet<string>) {
    return this.#additions.flatMap((addition) => {
      const own = topics.intersection(new Set(addition.channels.map(({ topic }) => topic)));
      return own.size > 0 ? [{ addition, topics: own }] : [];
    });
  }

  #additionOf(topic: string): ReplayAddition | undefined {
    return this.#additions.find(({ channels }) => channels.some((channel) => channel.topic === topic));
  }

  #message({ topic, logTime, data }: AddedMessage): Message {
    return { channel: this.#channels.get(topic)!, sequence: 0, logTime, publishTime: logTime, data };
  }

  async *#guarded(messages: AsyncGenerator<AddedMessage>): AsyncGenerator<Message> {
    try {
      for await (const message of messages) yield this.#message(message);
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** In order of log time; equal times in the order of the sources. */
async function* merged(sources: readonly AsyncGenerator<Message>[]): AsyncGenerator<Message> {
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let first = -1;
      for (const [i, head] of heads.entries()) {
        if (head.done) continue;
        const best = heads[first];
        if (!best || best.done || head.value.logTime < best.value.logTime) first = i;
      }
      const head = heads[first];
      if (!head || head.done) return;
      yield head.value;
      heads[first] = await sources[first]!.next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}
