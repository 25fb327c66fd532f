import type { Message, MessageValue } from '../schemas/message.ts';
import { secsToNanos, tickTime } from '../schemas/time.ts';
import type { Neighbours, Timed } from './align.ts';
import { AlignBuffer } from './align-buffer.ts';
import type { ChannelPlan, StreamPlan } from './stream-plan.ts';
import type { TickRange } from './tick-range.ts';
import { type Unusable, type VideoPicture, VideoStream } from './video-stream.ts';

/** A message of a feature's stream, on the contract's clock; owns its bytes and is decoded at most once. */
export class Sample implements Timed {
  readonly time: bigint;
  readonly data: Uint8Array;
  readonly channel: ChannelPlan;
  /** Of video. */
  picture: VideoPicture | undefined;
  /** Of video: the one received before it, which it needs to be decoded; undefined for a keyframe. */
  previous: Sample | undefined;
  #value: MessageValue | undefined;

  constructor(message: Message, { time, channel }: { readonly time: bigint; readonly channel: ChannelPlan }) {
    this.time = time;
    this.channel = channel;
    this.#value = channel.readValue?.(message);
    // Small copies share a pool, unlike those of slice().
    this.data = this.#value ? DECODED : Buffer.from(message.data);
  }

  get value(): MessageValue {
    this.#value ??= this.channel.decode!(this.data);
    return this.#value;
  }
}

/** Stands for the bytes of what is decoded already. */
const DECODED = new Uint8Array();

/** The streams around one tick. */
export interface AlignedTick {
  /** Position in the tick range. */
  readonly index: number;
  readonly time: bigint;
  /** In the order of the stream plans. */
  readonly neighbours: readonly Neighbours<Sample>[];
}

/**
 * How long a tick waits for streams. Messages lie in the file in order of receive time, while ticks run on
 * the contract's clock, so a tick is made once every stream has moved past it, has no more messages, or is
 * late. The samples held meanwhile span at most the difference between the streams' latencies plus
 * `maxWaitSecs`, and at most `maxBufferedBytes` plus one message.
 */
export interface AlignOptions {
  /**
   * A stream is late for a tick when this much receive time went by since a message of that instant should
   * have come, by the stream's largest latency so far; seconds. @default 5
   */
  readonly maxWaitSecs?: number;
  /**
   * How far a stream must have moved past what a tick can use, so that its stamps may step back by this
   * much; seconds. @default 0.5
   */
  readonly disorderSecs?: number;
  /** When more payload than this is held, the oldest tick is made with what is there; bytes. @default 256 MiB */
  readonly maxBufferedBytes?: number;
  /** Told of each message that came after a tick at or after its instant was made. */
  readonly onLate?: (plan: StreamPlan) => void;
  /** Told of each message of video whose picture cannot be shown, and why; its instant may be unknown. */
  readonly onUnusable?: (plan: StreamPlan, message: UnusablePicture) => void;
}

export interface UnusablePicture {
  readonly time: bigint | undefined;
  readonly reason: Unusable;
}

/**
 * Walks messages once, in order of receive time, and yields the ticks of a range in order, each with its
 * streams' neighbours. Messages of other topics must not come.
 */
export async function* alignStreams(
  messages: AsyncIterable<Message>,
  plans: readonly StreamPlan[],
  { range, ...options }: AlignOptions & { readonly range: TickRange },
): AsyncGenerator<AlignedTick> {
  const { maxBufferedBytes = 256 << 20, onLate } = options;
  const lanes = plans.map((plan) => new Lane(plan, options));
  const byTopic = Map.groupBy(lanes, ({ plan }) => plan.stream.topic);
  const timeOf = (index: number) => tickTime(range.origin, index, range.rateHz);
  const around = (index: number, time: bigint): AlignedTick => {
    const lastTick = timeOf(index - 1);
    const neighbours = lanes.map(({ buffer, plan }) =>
      buffer.neighbours(time, plan.hasWindow ? lastTick : undefined),
    );
    return { index, time, neighbours };
  };

  let index = range.first ?? 0;
  let time = timeOf(index);
  let lastMade: bigint | undefined;
  /** Lanes before this one let the next tick pass; it is the only one to ask again. */
  let waitingFor = 0;
  for await (const message of messages) {
    for (const lane of byTopic.get(message.channel.topic)!) {
      const sample = lane.take(message);
      if (lastMade !== undefined && sample && sample.time <= lastMade) onLate?.(lane.plan);
    }
    while (index < range.count) {
      while (waitingFor < lanes.length && lanes[waitingFor]!.isPast(time, message.logTime)) waitingFor++;
      if (waitingFor < lanes.length && bufferedBytes(lanes) <= maxBufferedBytes) break;
      yield around(index, time);
      lastMade = time;
      time = timeOf(++index);
      waitingFor = 0;
    }
  }
  for (; index < range.count; index++) yield around(index, timeOf(index));
}

function bufferedBytes(lanes: readonly Lane[]): number {
  let bytes = 0;
  for (const { buffer } of lanes) bytes += buffer.bytes;
  return bytes;
}

/** One stream on its way through the episode. */
class Lane {
  readonly plan: StreamPlan;
  readonly buffer = new AlignBuffer<Sample>();
  readonly #marginNanos: bigint;
  readonly #patienceNanos: bigint;
  #remaining: number;
  /** Latest instant seen. */
  #highTime: bigint | undefined;
  /** Largest receive time minus own time seen. */
  #latencyNanos: bigint;
  /** Of video: the pictures of each channel, and what the next one builds on. */
  readonly #videos = new Map<ChannelPlan, { readonly stream: VideoStream; latest: Sample | undefined }>();
  readonly #onUnusable: AlignOptions['onUnusable'];

  constructor(plan: StreamPlan, { maxWaitSecs = 5, disorderSecs = 0.5, onUnusable }: AlignOptions) {
    this.plan = plan;
    this.#onUnusable = onUnusable;
    this.#remaining = plan.messageCount;
    this.#latencyNanos = plan.first ? plan.first.logTime - plan.first.time : 0n;
    this.#patienceNanos = secsToNanos(maxWaitSecs) + plan.lookAheadNanos;
    this.#marginNanos = secsToNanos(disorderSecs) + plan.lookAheadNanos;
  }

  /** Takes a message in; undefined when its instant is not known. */
  take(message: Message): Sample | undefined {
    this.#remaining--;
    const channel = this.plan.channels.get(message.channel.id)!;
    const time = channel.timeOf(message);
    if (time === undefined && !channel.isVideo) return undefined;
    const sample = new Sample(message, { time: time ?? message.logTime, channel });
    const reason = channel.isVideo ? this.#chain(sample) : undefined;
    if (reason) this.#onUnusable?.(this.plan, { time, reason });
    if (time === undefined || reason) return undefined;
    this.buffer.add(sample);
    if (this.#highTime === undefined || sample.time > this.#highTime) this.#highTime = sample.time;
    const latencyNanos = message.logTime - sample.time;
    if (latencyNanos > this.#latencyNanos) this.#latencyNanos = latencyNanos;
    return sample;
  }

  /** Links a picture to the one that it builds on, or says why it cannot be shown. */
  #chain(sample: Sample): Unusable | undefined {
    const { channel } = sample;
    const video = this.#videos.get(channel) ?? { stream: new VideoStream(), latest: undefined };
    this.#videos.set(channel, video);
    const picture = video.stream.take(sample.value, sample.time);
    if (typeof picture === 'string') return picture;
    sample.picture = picture;
    if (!picture.isKeyframe) sample.previous = video.latest;
    video.latest = sample;
    return undefined;
  }

  /** Whether no message for a tick is to be expected any more. */
  isPast(tick: bigint, logTime: bigint): boolean {
    return (
      this.#remaining <= 0 ||
      (this.#highTime !== undefined && this.#highTime > tick + this.#marginNanos) ||
      logTime > tick + this.#latencyNanos + this.#patienceNanos
    );
  }
}
