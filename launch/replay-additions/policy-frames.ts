import type { Frame } from '../../converters/frame.ts';
import { SeekableFrames } from '../../converters/seekable-frames.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import type { AddedMessage, ReplayAddition } from '../../schemas/replay-addition.ts';
import { AGES_CHANNEL, encodeAges, type PolicyTopic, policyTopics } from './policy-values.ts';

/**
 * What the policy sees: the contract's aligned frames as topics of their own, pictures in the size of the
 * dataset, numbers as they are trained on, each with its age and mask. Made as they are looked at.
 */
export class PolicyFrames implements ReplayAddition {
  readonly channels: ReplayAddition['channels'];
  readonly #topics: ReadonlyMap<string, PolicyTopic>;
  readonly #plan: () => Promise<SeekableFrames>;
  #frames: Promise<SeekableFrames> | undefined;

  constructor(reader: EpisodeReader, contract: Contract) {
    this.#topics = policyTopics(contract);
    this.channels = [AGES_CHANNEL, ...[...this.#topics.values()].map(({ channel }) => channel)];
    this.#plan = () => SeekableFrames.plan(reader, contract);
  }

  async prepare(): Promise<void> {
    await this.#planned();
  }

  async *messages({
    topics,
    startTime,
    signal,
  }: Parameters<ReplayAddition['messages']>[0]): AsyncGenerator<AddedMessage, void> {
    const frames = await this.#planned();
    for await (const frame of frames.from({ startTime, signal, ...this.#needs(topics) })) {
      yield* await this.#told(frame, { topics, lagNanos: frames.lagNanos });
    }
  }

  async latestBefore(
    time: bigint,
    { topics, signal }: Parameters<ReplayAddition['latestBefore']>[1],
  ): Promise<readonly AddedMessage[]> {
    const frames = await this.#planned();
    const startTime = frames.lastTickBefore(time);
    if (startTime === undefined) return [];
    for await (const frame of frames.from({ startTime, signal, ...this.#needs(topics) })) {
      return this.#told(frame, { topics, lagNanos: frames.lagNanos });
    }
    return [];
  }

  /** Nobody waits for pictures that nobody looks at. */
  #needs(topics: ReadonlySet<string>): { readonly decodesPictures: boolean } {
    const shown = [...this.#topics.values()].filter(({ channel }) => topics.has(channel.topic));
    return { decodesPictures: shown.some(({ isPicture }) => isPicture) };
  }

  #planned(): Promise<SeekableFrames> {
    this.#frames ??= this.#plan();
    return this.#frames;
  }

  async #told(
    { index, tickTime, values }: Frame,
    { topics, lagNanos }: { readonly topics: ReadonlySet<string>; readonly lagNanos: bigint },
  ): Promise<readonly AddedMessage[]> {
    const logTime = tickTime + lagNanos;
    const messages = [...values].map(async ([key, value]): Promise<AddedMessage | undefined> => {
      const { channel, encode } = this.#topics.get(key)!;
      if (!topics.has(channel.topic)) return undefined;
      return { topic: channel.topic, logTime, data: await encode(value, logTime) };
    });
    const told = (await Promise.all(messages)).filter((message) => message !== undefined);
    if (!topics.has(AGES_CHANNEL.topic)) return told;
    return [{ topic: AGES_CHANNEL.topic, logTime, data: encodeAges(index, values) }, ...told];
  }
}
