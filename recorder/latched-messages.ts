import type { ChannelSpec } from '../schemas/message.ts';
import { offersLatched } from './qos.ts';
import type { SourceMessage } from './source.ts';

/** `/tf_static` has one publisher per robot part; beyond this many the oldest message goes. */
const MAX_PER_CHANNEL = 64;

/** Whether a publisher of the channel keeps its last messages for those who come later. */
export function isLatched({ metadata }: ChannelSpec): boolean {
  return offersLatched(metadata.get('offered_qos_profiles') ?? '');
}

/**
 * Messages of latched (transient-local) topics: sent once, valid for every take. They are written again
 * at the start of each, or a second episode would have no `/tf_static` and no `/robot_description`.
 */
export class LatchedMessages {
  readonly #kept = new Map<number, SourceMessage[]>();

  channel(channelKey: number, spec: ChannelSpec): void {
    if (isLatched(spec)) this.#kept.set(channelKey, []);
  }

  /**
   * Copies the message if it is of a latched topic; its buffer stays the caller's.
   *
   * @returns whether it is.
   */
  keep(message: SourceMessage): boolean {
    const kept = this.#kept.get(message.channelKey);
    if (!kept) return false;
    // A publisher or a connection that comes back sends the same again.
    const same = kept.findIndex(({ data }) => Buffer.compare(data, message.data) === 0);
    if (same >= 0) kept.splice(same, 1);
    kept.push({ ...message, data: message.data.slice() });
    if (kept.length > MAX_PER_CHANNEL) kept.shift();
    return true;
  }

  /** What late subscribers of a channel get; the recorder's own, not to be changed. */
  of(channelKey: number): Iterable<SourceMessage> {
    return this.#kept.get(channelKey) ?? [];
  }

  /** Copies to write at the beginning of a take, none of them before `firstTime`. */
  *since(firstTime: bigint): Generator<SourceMessage> {
    for (const kept of this.#kept.values()) {
      for (const message of kept) {
        const logTime = message.logTime > firstTime ? message.logTime : firstTime;
        yield { ...message, logTime, data: message.data.slice() };
      }
    }
  }
}
