import type { EpisodeReader } from './episode-reader.ts';
import type { ChannelSpec } from './message.ts';

/** A message that no file holds: computed from an episode, or said about it later. */
export interface AddedMessage {
  /** One of its addition's topics. */
  readonly topic: string;
  /** Where it stands in the episode. */
  readonly logTime: bigint;
  /** Serialized as its channel says. */
  readonly data: Uint8Array;
}

/**
 * Topics that a replay shows beside those of the file: aligned frames, derived topics, labels. `launch` makes
 * them of the other rooms; the viewer knows only this. Making one is cheap: work begins with the first read.
 */
export interface ReplayAddition {
  /** What it adds; one channel per topic, none of them a topic of the file. */
  readonly channels: readonly ChannelSpec[];
  /** What has to be found out before the first read; the topics appear to a client when it has resolved. */
  prepare?(): Promise<void>;
  /**
   * Messages in order of log time, computed as they are taken. A reader that seeks away ends the generator
   * with `return()` and begins another; several may run at once. Work that goes on inside a step ends when the signal
   * is aborted, and what comes after it is of no interest.
   */
  messages(options: {
    readonly topics: ReadonlySet<string>;
    /** First log time, inclusive. */
    readonly startTime: bigint;
    readonly signal: AbortSignal;
  }): AsyncGenerator<AddedMessage, void>;
  /** The last message at or before an instant, per topic; topics without one are absent. */
  latestBefore(
    time: bigint,
    options: { readonly topics: ReadonlySet<string>; readonly signal: AbortSignal },
  ): Promise<readonly AddedMessage[]>;
}

/** What is added to an episode. The reader stays open for as long as the additions are used. */
export type AdditionsOf = (reader: EpisodeReader) => Promise<readonly ReplayAddition[]>;
