import type { EpisodeInfo } from './episode.ts';
import type { EpisodeEvent } from './episode-events.ts';
import type { Finding, Verdict } from './finding.ts';
import type { ChannelSpec } from './message.ts';

/** One message as it arrives, before the recorder takes over its buffer. */
export interface ObservedMessage {
  /** The source's name of the channel. */
  readonly channelKey: number;
  readonly logTime: bigint;
  /** Absent where the middleware does not tell it. */
  readonly publishTime?: bigint;
  /** Serialized payload. Valid during the call only: its buffer then moves to the writing thread. */
  readonly data: Uint8Array;
}

/** What the checks make of a take. */
export interface TakeFindings {
  readonly verdict: Verdict;
  /** The most important reasons in words, each with the time to look at; at most three. */
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Looks at the messages of a take while it is recorded. The recorder knows only this interface; `launch` hands
 * the checks in. Calls come from the receiving path, return at once and never throw: what takes time happens on
 * another thread.
 */
export interface MessageObserver {
  /** A take begins; it has no channels yet. Messages from `firstTime` on belong to it. */
  takeStarted(info: EpisodeInfo, firstTime: bigint): void;
  /** A channel of the running take; it comes before its messages. */
  channel(channelKey: number, spec: ChannelSpec): void;
  /** In order of arrival. */
  message(message: ObservedMessage): void;
  /** The take's queue refused the message that was just shown. */
  refused(channelKey: number, logTime: bigint): void;
  /** What the operator said, or the recorder noticed. */
  event(event: EpisodeEvent, logTime: bigint): void;
  /**
   * The take has ended.
   *
   * @param file undefined when it could not be completed.
   * @returns what the checks make of it, `UNKNOWN` where they did not see it all; undefined without a file.
   */
  takeEnded(endTime: bigint, file: string | undefined): Promise<TakeFindings | undefined>;
  /** What is wrong with the running take, in words, the gravest first; empty while all is well. */
  current(): readonly string[];
  close(): Promise<void>;
}
