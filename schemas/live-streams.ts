import type { ChannelSpec } from './message.ts';
import type { ObservedMessage } from './message-observer.ts';
import type { Clock } from './time.ts';

/**
 * The robot's streams as they arrive, for whoever looks at this moment. A channel that nobody watches costs
 * nothing; what a watcher does, it does within the call, on the receiving thread, and never throws.
 */
export interface LiveStreams {
  /** The clock of the messages' log times. */
  readonly clock: Clock;
  /** Tells of every channel, those that appeared already and those to come. @returns ends it. */
  onChannel(appeared: (channelKey: number, spec: ChannelSpec) => void): () => void;
  /** Shows every message of a channel from now on; what is latched comes at once. @returns ends it. */
  watch(channelKey: number, arrived: (message: ObservedMessage) => void): () => void;
}
