import type { LiveStreams } from '../schemas/live-streams.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { ObservedMessage } from '../schemas/message-observer.ts';
import type { Clock } from '../schemas/time.ts';

type Watcher = (message: ObservedMessage) => void;

/** Shows what arrives to those who watch; with nobody watching a message costs one comparison. */
export class LiveTaps implements LiveStreams {
  readonly clock: Clock;
  readonly #channels = new Map<number, ChannelSpec>();
  readonly #listeners = new Set<(channelKey: number, spec: ChannelSpec) => void>();
  readonly #watchers = new Map<number, Set<Watcher>>();
  readonly #latched: (channelKey: number) => Iterable<ObservedMessage>;

  /** @param latched the messages of a channel that late watchers must see. */
  constructor(clock: Clock, latched: (channelKey: number) => Iterable<ObservedMessage>) {
    this.clock = clock;
    this.#latched = latched;
  }

  channelAppeared(channelKey: number, spec: ChannelSpec): void {
    this.#channels.set(channelKey, spec);
    for (const listener of this.#listeners) listener(channelKey, spec);
  }

  /** Called before the message's buffer moves on. */
  messageArrived(message: ObservedMessage): void {
    if (this.#watchers.size === 0) return;
    for (const watcher of this.#watchers.get(message.channelKey) ?? []) watcher(message);
  }

  onChannel(appeared: (channelKey: number, spec: ChannelSpec) => void): () => void {
    const listener = (channelKey: number, spec: ChannelSpec) => appeared(channelKey, spec); // one function may listen twice
    this.#listeners.add(listener);
    for (const [channelKey, spec] of this.#channels) listener(channelKey, spec);
    return () => void this.#listeners.delete(listener);
  }

  watch(channelKey: number, arrived: Watcher): () => void {
    const watcher: Watcher = (message) => arrived(message);
    const watchers = this.#watchers.get(channelKey) ?? new Set();
    this.#watchers.set(channelKey, watchers.add(watcher));
    for (const message of this.#latched(channelKey)) watcher(message);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(channelKey) === watchers) {
        this.#watchers.delete(channelKey);
      }
    };
  }
}
