import type { ChannelSpec } from '../schemas/message.ts';
import type { SourceMessage } from './source.ts';

/** `/tf_static` has one publisher per robot part; beyond this many the oldest message goes. */
const MAX_PER_CHANNEL = 64;

/**
 * Messages of latched (transient-local) topics: sent once, valid for every take. They are written again
 * at the start of each, or a second episode would have no `/tf_static` and no `/robot_description`.
 */
export class LatchedMessages {
  readonly #kept = new Map<number, SourceMessage[]>();

  channel(channelKey: number, spec: ChannelSpec): void {
    // rosbag2 writes `durability: transient_local`, older versions the number 1.
    const qos = spec.metadata.get('offered_qos_profiles') ?? '';
    if (/durability:\s*(transient_local|1)\b/.test(qos)) this.#kept.set(channelKey, []);
  }

  /** Copies what it keeps; the message's buffer stays the caller's. */
  message(message: SourceMessage): void {
    const kept = this.#kept.get(message.channelKey);
    if (!kept) return;
    kept.push({ ...message, data: message.data.slice() });
    if (kept.length > MAX_PER_CHANNEL) kept.shift();
  }

  /** Copies to write, in order of channel and arrival. */
  *messages(): Generator<SourceMessage> {
    for (const kept of this.#kept.values()) {
      for (const message of kept) yield { ...message, data: message.data.slice() };
    }
  }
}
