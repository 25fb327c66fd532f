import type { Contract } from '../schemas/contract.ts';
import type { EpisodeEvent } from '../schemas/episode-events.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { StreamStatus } from '../schemas/recording-control.ts';
import { type Clock, secsToNanos } from '../schemas/time.ts';
import { LatchedMessages } from './latched-messages.ts';
import { LiveTaps } from './live-taps.ts';
import { MESSAGE_OVERHEAD_BYTES } from './message-queue.ts';
import { PreRoll } from './pre-roll.ts';
import type { SourceMessage } from './source.ts';
import { StreamWatch } from './stream-watch.ts';
import type { Take } from './take.ts';

/** Between two takes a loss spoils nothing; it is shown for as long as it takes to see it. */
const LOSS_MEMORY_NANOS = secsToNanos(5);

/** What a session keeps of its source between takes: channels, latched messages, pre-roll, monitors. */
export class Intake {
  /** For whoever wants to see the robot's streams while they arrive. */
  readonly live: LiveTaps;
  readonly #contract: Contract;
  readonly #clock: Clock;
  readonly #channels = new Map<number, ChannelSpec>();
  readonly #latched = new LatchedMessages();
  readonly #preRoll: PreRoll;
  /** Channels that nobody publishes. */
  readonly #abandoned = new Set<number>();
  /** Why messages of a topic may not be what its definition says, by topic. */
  readonly #disputes = new Map<string, string>();
  #watch: StreamWatch;

  constructor(contract: Contract, clock: Clock, maxPreRollBytes: number) {
    this.#contract = contract;
    this.#clock = clock;
    this.live = new LiveTaps(clock, (channelKey) => this.#latched.of(channelKey));
    this.#preRoll = new PreRoll(secsToNanos(contract.episode.preRollSecs), maxPreRollBytes);
    this.#watch = new StreamWatch(contract, clock.now());
  }

  channelAppeared(key: number, spec: ChannelSpec, take: Take | undefined): void {
    this.#channels.set(key, spec);
    this.#latched.channel(key, spec);
    this.#watch.addChannel(key, spec);
    this.live.channelAppeared(key, spec);
    take?.addChannel(key, spec);
  }

  /**
   * Passes a message to the running take, or keeps it while it may still belong to the next one.
   *
   * @throws {RangeError} for a channel that never appeared.
   */
  messageArrived(message: SourceMessage, take: Take | undefined): void {
    const isLatched = this.#latched.keep(message);
    this.live.messageArrived(message);
    if (take) {
      take.message(message);
      return;
    }
    this.#watch.arrived(message);
    if (!isLatched) this.#preRoll.push(message);
  }

  /** Takes note that the last publisher of a channel has left, or that one is back. */
  channelOffered(key: number, isOffered: boolean, take: Take | undefined): void {
    if (isOffered) this.#abandoned.delete(key);
    else this.#abandoned.add(key);
    const time = this.#clock.now();
    this.#watch.offered(key, isOffered, time);
    take?.offered(key, isOffered, time);
  }

  /** Takes note that messages of a topic may not be what its definition says, or that they are again. */
  disputed(topic: string, why: string | undefined, take: Take | undefined): void {
    if (why === undefined) this.#disputes.delete(topic);
    else {
      this.#disputes.set(topic, why);
      take?.event(disputeEvent(why), this.#clock.now());
    }
  }

  /** What came before an instant and still belongs to a take that starts then, in order of arrival. */
  preRoll(startTime: bigint): readonly SourceMessage[] {
    return this.#preRoll.take(startTime);
  }

  /** What the messages of a pre-roll take in a queue, the latched ones with them; bytes. */
  handOverBytes(preRoll: readonly SourceMessage[]): number {
    return [...this.#latched.since(0n), ...preRoll].reduce(
      (sum, { data }) => sum + data.byteLength + MESSAGE_OVERHEAD_BYTES,
      0,
    );
  }

  /** Gives a take that begins its channels, the latched messages and the pre-roll, in this order. */
  handOver(take: Take, firstTime: bigint, preRoll: readonly SourceMessage[]): void {
    for (const [key, spec] of this.#channels) take.addChannel(key, spec);
    for (const key of this.#abandoned) take.offered(key, false, take.startTime);
    for (const why of this.#disputes.values()) take.event(disputeEvent(why), take.startTime);
    for (const message of this.#latched.since(firstTime)) take.message(message);
    for (const message of preRoll) take.message(message);
  }

  /** The streams since the last take ended. */
  status(now: bigint): readonly StreamStatus[] {
    return this.#watch.status(now, now - LOSS_MEMORY_NANOS);
  }

  takeEnded(): void {
    const time = this.#clock.now();
    this.#watch = new StreamWatch(this.#contract, time);
    for (const [key, spec] of this.#channels) this.#watch.addChannel(key, spec);
    for (const key of this.#abandoned) this.#watch.offered(key, false, time);
  }
}

function disputeEvent(text: string): EpisodeEvent {
  return { event: 'definition-disputed', by: 'recorder', text };
}
