import type { Contract } from '../schemas/contract.ts';
import type { Loss, StreamTotal } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { StreamStatus } from '../schemas/recording-control.ts';
import type { SourceMessage } from './source.ts';
import { StreamMonitor } from './stream-monitor.ts';

/** The monitors of all topics over one span: a take, or the time between two takes. */
export class StreamWatch {
  readonly #contract: Contract;
  readonly #startTime: bigint;
  /** By channel; channels of one topic and type share one. */
  readonly #monitors = new Map<number, StreamMonitor>();

  /** @param startTime log time at which the span begins. */
  constructor(contract: Contract, startTime: bigint) {
    this.#contract = contract;
    this.#startTime = startTime;
  }

  /** A channel with the topic and type of an earlier one goes on in its account: only the definition is another. */
  addChannel(channelKey: number, spec: ChannelSpec): void {
    const known = this.#monitors
      .values()
      .find(({ topic, type }) => topic === spec.topic && type === spec.schema?.name);
    known?.redefined(spec);
    const stream = Object.entries(this.#contract.streams).find(([, { topic }]) => topic === spec.topic);
    this.#monitors.set(channelKey, known ?? new StreamMonitor(spec, stream, this.#startTime));
  }

  /** @throws {RangeError} for a message of a channel that was never announced. */
  arrived({ channelKey, logTime, data }: SourceMessage): StreamMonitor {
    const monitor = this.#monitors.get(channelKey);
    if (!monitor) throw new RangeError(`Message for channel ${channelKey}, which the source never announced`);
    monitor.arrived(logTime, data);
    return monitor;
  }

  /** Takes note that the last publisher of a channel has left, or that one is back. */
  offered(channelKey: number, isOffered: boolean, time: bigint): void {
    this.#monitors.get(channelKey)?.offered(isOffered, time);
  }

  /** Closes the account at the end of the span. */
  ended(endTime: bigint): void {
    for (const monitor of this.#each()) monitor.ended(endTime);
  }

  /**
   * Per topic; those of the contract first and in its order, heard or not.
   *
   * @param lossesSince losses that ended before are trouble no more. @default all are
   */
  status(now: bigint, lossesSince?: bigint): readonly StreamStatus[] {
    const heard = [...this.#each()].map((monitor) => monitor.status(now, lossesSince));
    const byTopic = new Map(heard.map((status) => [status.topic, status]));
    const ofContract = Object.entries(this.#contract.streams).map(([name, stream]) => {
      const status = byTopic.get(stream.topic);
      byTopic.delete(stream.topic);
      return status ?? StreamMonitor.unheard([name, stream], now - this.#startTime);
    });
    return [...ofContract, ...byTopic.values()];
  }

  totals(): readonly StreamTotal[] {
    return [...this.#each()].map(({ topic, received, written }) => ({ topic, received, written }));
  }

  losses(): readonly Loss[] {
    return [...this.#each()].flatMap(({ losses }) => losses);
  }

  /** Required streams of the contract that never sent, as losses up to `endTime`. */
  silences(endTime: bigint): readonly Loss[] {
    const heard = new Set(
      this.#monitors
        .values()
        .filter(({ received }) => received > 0)
        .map(({ topic }) => topic),
    );
    return Object.values(this.#contract.streams)
      .filter(({ topic, required }) => required && !heard.has(topic))
      .map(({ topic }) => ({ topic, cause: 'silent', messages: null, startTime: this.#startTime, endTime }));
  }

  #each(): ReadonlySet<StreamMonitor> {
    return new Set(this.#monitors.values());
  }
}
