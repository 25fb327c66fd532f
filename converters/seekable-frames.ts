import type { Contract } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { Message } from '../schemas/message.ts';
import { tickTime } from '../schemas/time.ts';
import { alignStreams } from './align-streams.ts';
import { deriveFrames } from './derive.ts';
import { makeFrame } from './episode-frames.ts';
import { planFeatures } from './feature-plan.ts';
import type { Frame } from './frame.ts';
import { planStreams, type StreamPlan } from './stream-plan.ts';
import { chosenTicks } from './tick-choice.ts';
import { clockLagNanos, type TickRange, tickRange, ticksUpTo } from './tick-range.ts';
import { planTransforms, type TransformPlans } from './transform-plan.ts';
import { isKeyframe } from './video-packets.ts';

/** Streams with fewer messages are read from their first: a latched one has been silent ever since. */
const FEW_MESSAGES = 200;
/** How far before a tick the messages that it uses may lie out of order, and how far their latencies differ. */
const LOOK_BACK_NANOS = 1_000_000_000n;
const FRAMES_IN_FLIGHT = 4;

export interface SeekableFramesOptions {
  /** Log time; frames run from the first tick at or after it. */
  readonly startTime: bigint;
  /** Ends the reading early; what comes then is of no interest. */
  readonly signal: AbortSignal;
  /** Whether pictures are decoded; else all are black. @default true */
  readonly decodesPictures?: boolean;
}

/**
 * The frames of an episode for looking at, from any instant on: those of `episodeFrames()`, and the incomplete
 * ticks before the first and after the last of them, with masks. `index` counts ticks. Features that only the
 * end of the episode tells, outcomes and goals, are left out.
 */
export class SeekableFrames {
  /** By how much receive time is ahead of a frame's tick, nanoseconds. */
  readonly lagNanos: bigint;
  readonly #reader: EpisodeReader;
  readonly #contract: Contract;
  readonly #plans: readonly StreamPlan[];
  readonly #transforms: TransformPlans;
  readonly #range: TickRange;

  /**
   * Reads what has to be known before the first frame: where streams are on their sensors' clocks, all stamps.
   *
   * @throws {ConvertError} when the episode cannot be read under this contract.
   * @throws {MessageError} when a message does not decode.
   */
  static async plan(reader: EpisodeReader, contract: Contract): Promise<SeekableFrames> {
    const seen = { ...contract, features: seenFeatures(contract) };
    const transforms = await planTransforms(reader, seen);
    const plans = [...(await planStreams(reader, seen)), ...transforms.plans];
    return new SeekableFrames(reader, seen, { plans, transforms });
  }

  private constructor(
    reader: EpisodeReader,
    contract: Contract,
    { plans, transforms }: { readonly plans: readonly StreamPlan[]; readonly transforms: TransformPlans },
  ) {
    this.#reader = reader;
    this.#contract = contract;
    this.#plans = plans;
    this.#transforms = transforms;
    this.lagNanos = clockLagNanos(plans);
    this.#range = tickRange(plans, { file: reader.file, rateHz: contract.samples.tickRateHz });
  }

  /** Log time of the last tick at or before an instant; undefined before the first. */
  lastTickBefore(time: bigint): bigint | undefined {
    const { origin, rateHz, count } = this.#range;
    const ticks = time - this.lagNanos < origin ? 0 : ticksUpTo(time - this.lagNanos, this.#range);
    const index = Math.min(ticks, count) - 1;
    return index < 0 ? undefined : tickTime(origin, index, rateHz) + this.lagNanos;
  }

  async *from({
    startTime,
    signal,
    decodesPictures = true,
  }: SeekableFramesOptions): AsyncGenerator<Frame, void> {
    const first = startTime - this.lagNanos;
    for await (const frame of deriveFrames(
      this.#frames(first, { signal, decodesPictures }),
      this.#contract,
    )) {
      if (frame.tickTime >= first) yield frame;
    }
  }

  /** @param first on the contract's clock; frames begin a tick earlier, which differences need. */
  async *#frames(
    first: bigint,
    { signal, decodesPictures }: Required<Omit<SeekableFramesOptions, 'startTime'>>,
  ): AsyncGenerator<Frame, void> {
    const { origin, rateHz } = this.#range;
    const before = first <= origin ? 0 : ticksUpTo(first - 1n, this.#range) - 1;
    const range = { ...this.#range, first: Math.max(0, before) };
    const features = planFeatures(this.#contract, {
      plans: this.#plans,
      chains: this.#transforms.chains,
      file: this.#reader.file,
      decodesPictures,
    });
    const startTime = tickTime(origin, range.first, rateHz) + this.lagNanos - LOOK_BACK_NANOS;
    const messages = this.#messages(startTime, signal);
    const ticks = chosenTicks(alignStreams(messages, this.#plans, { range }), {
      features,
      within: undefined,
    });
    const inFlight: Promise<Frame>[] = [];
    try {
      for await (const tick of ticks) {
        if (signal.aborted) return;
        const frame = makeFrame(tick, { index: tick.index, features, goal: undefined, end: UNKNOWN_END });
        frame.catch(() => {}); // reported where it is awaited, or not at all when the caller has left
        inFlight.push(frame);
        if (inFlight.length >= FRAMES_IN_FLIGHT) yield await inFlight.shift()!;
      }
      for (const frame of inFlight) yield await frame;
    } finally {
      await Promise.all(features.map((feature) => feature.close?.()));
    }
  }

  /** What frames from an instant on are made of: what was still valid then, and what came since. */
  async *#messages(startTime: bigint, signal: AbortSignal): AsyncGenerator<Message> {
    const topics = new Set(this.#plans.map(({ stream }) => stream.topic));
    if (startTime > this.#reader.startTime) {
      const few = new Set(
        this.#plans
          .filter(({ messageCount }) => messageCount < FEW_MESSAGES)
          .map(({ stream }) => stream.topic),
      );
      if (few.size > 0) yield* this.#reader.messages({ topics: few, endTime: startTime });
      const videos = new Set(this.#plans.filter(isVideoPlan).map(({ stream }) => stream.topic)).difference(
        few,
      );
      for (const topic of videos) yield* this.#sinceKeyframe(topic, startTime);
      const many = topics.difference(few).difference(videos);
      const latest = [...(await this.#reader.latestBefore(startTime - 1n, many)).values()];
      yield* latest.sort((a, b) => Number(a.logTime - b.logTime));
    }
    for await (const message of this.#reader.messages({ topics, startTime })) {
      if (signal.aborted) return;
      yield message;
    }
  }

  /** The video before an instant, from the last keyframe on: without it no picture can be shown. */
  async *#sinceKeyframe(topic: string, endTime: bigint): AsyncGenerator<Message> {
    const topics = [topic];
    for await (const message of this.#reader.messages({ topics, endTime, reverse: true })) {
      const decode = this.#plans
        .find(({ stream }) => stream.topic === topic)!
        .channels.get(message.channel.id)!.decode;
      if (!isKeyframe(decode!(message.data))) continue;
      yield* this.#reader.messages({ topics, startTime: message.logTime, endTime });
      return;
    }
  }
}

/** Whether a stream's pictures build on each other. */
function isVideoPlan({ channels }: StreamPlan): boolean {
  return channels.values().some(({ isVideo }) => isVideo === true);
}

/** Of outcomes, which are left out. */
const UNKNOWN_END = { outcome: undefined, frames: 0 };

/** The features that a tick shows. */
export function seenFeatures({ features }: Contract): Contract['features'] {
  return Object.fromEntries(
    Object.entries(features).filter(
      ([, feature]) => feature.kind !== 'outcome' && !(feature.kind === 'image' && feature.at === 'goal'),
    ),
  );
}
