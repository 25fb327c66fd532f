import type { ReadOptions } from '../schemas/episode-reader.ts';
import type { Message } from '../schemas/message.ts';

/** Reading that may be given up: what comes after the signal was aborted is of no interest. */
export interface CancellableRead {
  readonly signal: AbortSignal;
}

/** What is played: an `EpisodeReader`, or one with topics that are computed as they are read. */
export interface Recording {
  readonly startTime: bigint;
  readonly endTime: bigint;
  /** Topics that take their time; others never wait for them after a seek. @default none */
  readonly computedTopics?: ReadonlySet<string>;
  messages(options: ReadOptions & CancellableRead): AsyncGenerator<Message>;
  latestBefore(
    time: bigint,
    topics: Iterable<string>,
    options: CancellableRead,
  ): Promise<ReadonlyMap<string, Message>>;
}
