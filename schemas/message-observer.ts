import type { EpisodeInfo } from './episode.ts';
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
 * Looks at messages while they are recorded. The recorder knows only this interface; `launch` hands the checks
 * in. Every call returns at once and never throws: what takes time happens on another thread.
 */
export interface MessageObserver {
  /** A channel appeared; it comes before its messages and holds for every take of the session. */
  channel(channelKey: number, spec: ChannelSpec): void;
  /** A take begins; messages from `firstTime` on belong to it. */
  takeStarted(info: EpisodeInfo, firstTime: bigint): void;
  /** Called in order of arrival, in a take and between two takes. */
  message(message: ObservedMessage): void;
  /** The take's queue refused a message. */
  refused(channelKey: number, logTime: bigint): void;
  /**
   * The take has ended and its file is complete.
   *
   * @param file undefined when the file could not be completed.
   * @returns what the checks make of it.
   */
  takeEnded(endTime: bigint, file: string | undefined): Promise<TakeFindings>;
  /** What is wrong now, warnings and failures only; the gravest first. */
  current(): readonly Finding[];
  close(): Promise<void>;
}
