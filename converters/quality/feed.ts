import type { Contract } from '../../schemas/contract.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { Examination } from './examination.ts';
import type { Observation } from './observation.ts';
import { ChannelObservations, type SampledMessage } from './observations.ts';
import { checkedStream } from './stream-role.ts';
import type { CheckedStream } from './subject.ts';

/** Pictures that are decoded at the same time: libuv has four threads. */
const MOST_IN_FLIGHT = 6;

/** What messages are led into. */
export type Examiner = Pick<Examination, 'observe' | 'refused'>;

export interface FeedOptions {
  /** The subject's list, which grows here. */
  readonly streams: CheckedStream[];
  readonly contract: Contract | undefined;
  /** Pixels across the pictures that are looked at, at most. @default that of `readPicture` */
  readonly lookWidth?: number;
}

interface FeedChannel {
  readonly stream: CheckedStream;
  readonly observations: ChannelObservations;
}

/** Leads messages into an examination in the order of their arrival, although pictures take time to decode. */
export class Feed {
  readonly #examination: Examiner;
  readonly #streams: CheckedStream[];
  readonly #contract: Contract | undefined;
  readonly #lookWidth: number | undefined;
  readonly #channels = new Map<number, FeedChannel>();
  readonly #waiting: (Observation | Promise<Observation>)[] = [];
  #inFlight = 0;

  constructor(examination: Examiner, { streams, contract, lookWidth }: FeedOptions) {
    this.#examination = examination;
    this.#streams = streams;
    this.#contract = contract;
    this.#lookWidth = lookWidth;
  }

  channel(key: number, spec: ChannelSpec): void {
    const stream = checkedStream(spec.topic, spec.schema?.name ?? spec.messageEncoding, this.#contract);
    this.#streams.push(stream);
    const observations = new ChannelObservations(stream, spec, { lookWidth: this.#lookWidth });
    this.#channels.set(key, { stream, observations });
  }

  /**
   * Takes a message over. Its payload must stay as it is.
   *
   * @returns what to await before the next one, where too many pictures are being decoded.
   */
  message(key: number, message: SampledMessage): Promise<void> | undefined {
    const observation = this.#channel(key).observations.observe(message);
    const isPicture = observation instanceof Promise;
    if (!isPicture && this.#waiting.length === 0) {
      this.#examination.observe(observation);
      return undefined;
    }
    this.#waiting.push(observation);
    if (isPicture) this.#inFlight++;
    return this.#inFlight > MOST_IN_FLIGHT ? this.#drain(MOST_IN_FLIGHT / 2) : undefined;
  }

  refused(key: number, logTime: bigint): void {
    this.#examination.refused(this.#channel(key).stream, logTime);
  }

  /** Resolves when every message so far has been observed. */
  flush(): Promise<void> {
    return this.#drain(0);
  }

  async #drain(inFlight: number): Promise<void> {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      if (next instanceof Promise) {
        if (this.#inFlight <= inFlight && inFlight > 0) return;
        this.#examination.observe(await next);
        this.#inFlight--;
      } else {
        this.#examination.observe(next);
      }
      this.#waiting.shift();
    }
  }

  #channel(key: number): FeedChannel {
    const channel = this.#channels.get(key);
    if (!channel) throw new RangeError(`Message for channel ${key}, which was never announced`);
    return channel;
  }
}
