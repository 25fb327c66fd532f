import type { StreamQos } from '../schemas/contract.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { Clock } from '../schemas/time.ts';
import type { TopicSet } from './topic-choice.ts';

/** What a source calls; every call returns at once and never throws. */
export interface SourceSink {
  /** A channel appeared. `channelKey` names it in later calls and is the source's own choice. */
  channel(channelKey: number, spec: ChannelSpec): void;
  message(message: SourceMessage): void;
  /**
   * Resolves when the recorder's queue has room. A robot cannot wait and never asks; a simulation that
   * runs faster than real time awaits it between batches, or its messages would be refused and counted.
   */
  room(): Promise<void>;
  /** The source broke off for good; nothing follows. */
  failed(error: Error): void;
  /** The source has come to its end by itself; nothing follows. */
  ended(): void;
  /** Whether anybody publishes on a channel, when that changes; before the first call somebody does. */
  offered?(channelKey: number, isOffered: boolean): void;
  /**
   * Why messages of a topic may not be what its definition says, or that nothing speaks for it any more; before
   * the first call nothing does.
   */
  disputed?(topic: string, why: string | undefined): void;
  /** The kernel dropped so many datagrams since the last call, whosever they were. */
  datagramsDropped?(count: number): void;
  /** Something the operator should know; recording goes on. */
  warned?(warning: SourceWarning): void;
}

/** What a source noticed of a topic, or of itself. */
export interface SourceWarning {
  readonly kind:
    | 'missing-type'
    | 'missing-definition'
    | 'second-type'
    | 'definition-changed'
    | 'definition-disputed'
    | 'qos-changed'
    | 'qos-unmatched'
    | 'publishers-gone'
    | 'receive-buffer'
    | 'connection'
    | 'server-status'
    | 'clock-step'
    | 'not-understood'
    | 'trash-emptied'
    | 'storage-unknown';
  /** Absent where no single topic is concerned. */
  readonly topic?: string;
  /** What was found, what it means for the recording and what to do next. */
  readonly message: string;
}

/** One message as it arrived. The sink owns `data` and may transfer its buffer to another thread. */
export interface SourceMessage {
  readonly channelKey: number;
  /** Receive time on the source's clock; never steps backwards within a channel. */
  readonly logTime: bigint;
  /** Publish time where the middleware tells it; absent elsewhere. */
  readonly publishTime?: bigint;
  /** Serialized payload alone in its own ArrayBuffer (byteOffset 0, whole length). */
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface SourceOptions {
  /** Topics wanted; a topic that appears later is picked up then. @default all but hidden ones */
  readonly topics?: TopicSet;
  /** Quality of service to ask for, by topic, where it shall not follow from the publishers. @default none */
  readonly qos?: ReadonlyMap<string, StreamQos>;
}

/**
 * Where messages come from: a ROS graph, a Foxglove bridge, the simulated robot. Pushes into the sink
 * from start() until stop(); the recorder's queue turns push into pull.
 */
export interface Source {
  /** `ros2`, `foxglove`, `demo`; stored in the episode. */
  readonly name: string;
  /** The clock of logTime. */
  readonly clock: Clock;
  /**
   * Begins to deliver. Messages of latched topics may come first with the times of their arrival.
   *
   * @throws {SourceError | MissingFeatureError} when the source cannot start.
   */
  start(sink: SourceSink, options?: SourceOptions): Promise<void>;
  /** Stops delivering; nothing is pushed after it resolves. */
  stop(): Promise<void>;
}
