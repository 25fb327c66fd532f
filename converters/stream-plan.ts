import type { CdrLayout } from '../schemas/cdr-layout.ts';
import {
  type Contract,
  type Feature,
  nearest,
  type SampleClock,
  type Stream,
  type StreamFeature,
  type VectorFeature,
} from '../schemas/contract.ts';
import type { EpisodeReader, ReadOptions } from '../schemas/episode-reader.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { Channel, Message, MessageValue } from '../schemas/message.ts';
import {
  createChannelLayout,
  createDecoder,
  createSensorTimeReader,
  type Decode,
} from '../schemas/message-codec.ts';
import { NANOS_PER_SEC, secsToNanos } from '../schemas/time.ts';
import type { Received } from './clock-steps.ts';
import { type ClockReport, type StampedStream, surveyClocks } from './clock-survey.ts';
import { isVideo } from './video-packets.ts';

/** One stream of the contract as one episode holds it. */
export interface StreamPlan {
  readonly name: string;
  readonly stream: Stream;
  /** Messages of the topic in the episode, over all its channels; 0 only where the stream is optional. */
  readonly messageCount: number;
  /** How far after a tick a feature may take a value from; 0 where all features are causal. */
  readonly lookAheadNanos: bigint;
  /** Whether a feature takes all values since the tick before. */
  readonly hasWindow: boolean;
  /** By channel id; a topic with several publishers may have several channels. */
  readonly channels: ReadonlyMap<number, ChannelPlan>;
  /** Of the first message received that has an instant; undefined when there is none. */
  readonly first: Received | undefined;
  /** Of the last message received that has an instant; undefined when there is none. */
  readonly last: Received | undefined;
  /** Of transforms: the frame that this plan is for. */
  readonly frame?: string;
  /** Of a stream on its sensor's clock. */
  readonly clock: ClockReport | undefined;
}

export interface ChannelPlan {
  /** Full name of the message type; empty for messages without a definition. */
  readonly type: string;
  /**
   * The instant that a message's values belong to, on the contract's clock; undefined while a step of the
   * sensor's clock makes its stamp wrong.
   */
  readonly timeOf: (message: Message) => bigint | undefined;
  /** Decodes a payload, when its value is needed. */
  readonly decode?: Decode;
  /** Where the numbers of a payload lie; absent where only decoding tells. */
  readonly layoutOf?: ((data: Uint8Array) => CdrLayout | undefined) | undefined;
  /** Whether most of its pictures need those before them. */
  readonly isVideo?: true;
  /** Instead: the value of a message that holds those of several plans, read when it comes. */
  readonly readValue?: (message: Message) => MessageValue | undefined;
}

/**
 * Finds streams of the contract in an episode.
 *
 * @param names those that features are made of, unless others are asked for.
 * @throws {ConvertError} when a required stream is not there, has another type, or cannot be put on the
 * contract's clock.
 * @throws {MessageError} when a channel's messages cannot be decoded.
 */
export async function planStreams(
  reader: EpisodeReader,
  contract: Contract,
  names = streamsOfFeatures(contract),
): Promise<StreamPlan[]> {
  const outlines = [...names].map((name) => planStream(reader, contract, name));
  const stamped = outlines.flatMap(({ stream, stamps }) =>
    stamps ? [{ topic: stream.topic, stamps, isForeign: stream.clockOffset === 'estimate' }] : [],
  );
  const clocks = await surveyClocks(reader, stamped);
  const unstamped = outlines.flatMap(({ stream, stamps }) => (stamps ? [] : [stream.topic]));
  const first = await firstMessages(reader, unstamped);
  const last = await reader.latestBefore(reader.endTime, unstamped);
  return outlines.map(({ stamps: _, ...outline }): StreamPlan => {
    const { topic } = outline.stream;
    const clock = clocks.get(topic);
    if (!clock) {
      const received = (message: Message | undefined) =>
        message && {
          time: outline.channels.get(message.channel.id)!.timeOf(message)!,
          logTime: message.logTime,
        };
      return {
        ...outline,
        first: received(first.get(topic)),
        last: received(last.get(topic)),
        clock: undefined,
      };
    }
    const channels = [...outline.channels].map(
      ([id, channel]) => [id, { ...channel, timeOf: clock.timeOf }] as const,
    );
    return {
      ...outline,
      channels: new Map(channels),
      first: clock.first,
      last: clock.last,
      clock: clock.report,
    };
  });
}

function streamsOfFeatures({ features }: Contract): ReadonlySet<string> {
  return new Set(
    Object.values(features).flatMap((feature) =>
      feature.kind === 'outcome' || isTransform(feature) ? [] : [feature.stream],
    ),
  );
}

/** A stream before its messages were looked at. */
interface StreamOutline extends Omit<StreamPlan, 'first' | 'last' | 'clock'> {
  /** By channel id, where the stream is on its sensor's clock. */
  readonly stamps: StampedStream['stamps'] | undefined;
}

/** Most streams begin within the first second, which is read once; the others are looked for one by one. */
async function firstMessages(
  reader: EpisodeReader,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Message>> {
  const first = new Map<string, Message>();
  if (topics.length === 0) return first;
  const find = async (missing: readonly string[], options?: ReadOptions) => {
    for await (const message of reader.messages({ ...options, topics: missing })) {
      const { topic } = message.channel;
      if (!first.has(topic)) first.set(topic, message);
      if (missing.every((each) => first.has(each))) return;
    }
  };
  await find(topics, { endTime: reader.startTime + NANOS_PER_SEC });
  for (const topic of topics) if (!first.has(topic)) await find([topic]);
  return first;
}

/** A stream of the contract and where an episode holds it. */
export interface StreamChannels {
  readonly name: string;
  readonly stream: Stream;
  readonly channels: readonly Channel[];
  /** Over all its channels. */
  readonly messageCount: number;
  readonly clock: SampleClock;
}

/** @throws {ConvertError} when a required stream has no message, or one has another type. */
export function streamChannels(reader: EpisodeReader, contract: Contract, name: string): StreamChannels {
  const stream = contract.streams[name]!; // the contract's own check
  const { topic } = stream;
  const channels = [...reader.channels.values()].filter(
    (channel) => channel.topic === topic && reader.messageCounts.get(channel.id),
  );
  const messageCount = channels.reduce((sum, { id }) => sum + (reader.messageCounts.get(id) ?? 0), 0);
  if (messageCount === 0 && stream.required) {
    const near = nearest(topic, new Set(reader.channels.values().map((channel) => channel.topic)));
    throw new ConvertError(
      `Cannot convert "${reader.file}": required stream "${name}" has no message on topic "${topic}"` +
        `${near && near !== topic ? `; did you mean "${near}"?` : '.'} ` +
        'Correct the topic, set "required: false" for the stream, or leave the episode out.',
      { contractPath: ['streams', name, 'topic'] },
    );
  }
  for (const channel of channels) checkType(reader.file, name, stream, channel);
  return { name, stream, channels, messageCount, clock: stream.clock ?? contract.samples.clock };
}

function planStream(reader: EpisodeReader, contract: Contract, name: string): StreamOutline {
  const { stream, channels, messageCount, clock } = streamChannels(reader, contract, name);
  const stamps = new Map<number, (message: Message) => bigint>();
  const plans = new Map(
    channels.map((channel): [number, ChannelPlan] => {
      const timeOf = channelClock(reader.file, name, channel, clock);
      stamps.set(channel.id, timeOf);
      return [
        channel.id,
        {
          type: channel.schema?.name ?? '',
          timeOf,
          decode: createDecoder(channel),
          layoutOf: createChannelLayout(channel),
          ...(isVideo(channel.schema?.name ?? '') && { isVideo: true as const }),
        },
      ];
    }),
  );
  const features = Object.values(contract.features).filter(
    (feature): feature is StreamFeature =>
      feature.kind !== 'outcome' && feature.stream === name && !isTransform(feature),
  );
  return {
    name,
    stream,
    messageCount,
    lookAheadNanos: lookAheadNanos(features),
    hasWindow: features.some((feature) => feature.align === 'window'),
    channels: plans,
    stamps: clock === 'sensor' ? stamps : undefined,
  };
}

/** Whether a feature is the pose of a frame. */
export function isTransform(
  feature: Feature,
): feature is VectorFeature & { readonly transform: NonNullable<VectorFeature['transform']> } {
  return feature.kind === 'vector' && feature.transform !== undefined;
}

/** How far after a tick these features may take a value from. */
export function lookAheadNanos(features: readonly StreamFeature[]): bigint {
  const secs = features
    .filter((feature) => feature.align !== 'hold' && feature.align !== 'window')
    .map(({ toleranceSecs }) => toleranceSecs);
  return secsToNanos(Math.max(0, ...secs));
}

/** ROS 2 names types with and without "/msg/"; both mean the same. */
export function sameType(a: string, b: string): boolean {
  return a.replace('/msg/', '/') === b.replace('/msg/', '/');
}

function checkType(file: string, name: string, stream: Stream, { schema }: Channel): void {
  if (!schema || sameType(schema.name, stream.type)) return;
  throw new ConvertError(
    `Cannot convert "${file}": stream "${name}" must be of type "${stream.type}", but "${stream.topic}" ` +
      `was recorded as "${schema.name}". Correct the stream's type in the contract.`,
    { contractPath: ['streams', name, 'type'] },
  );
}

function channelClock(
  file: string,
  name: string,
  channel: Channel,
  clock: SampleClock,
): (message: Message) => bigint {
  switch (clock) {
    case 'log':
      return ({ logTime }) => logTime;
    case 'publish':
      return ({ publishTime }) => publishTime;
    case 'sensor': {
      const sensorTime = createSensorTimeReader(channel);
      if (!sensorTime) {
        throw new ConvertError(
          `Cannot convert "${file}": stream "${name}" is to be put on its sensor clock, but type ` +
            `"${channel.schema?.name ?? channel.messageEncoding}" of "${channel.topic}" begins with no ` +
            'header. Set "clock: publish" or "clock: log" for the stream.',
          { contractPath: ['streams', name] },
        );
      }
      return ({ data }) => {
        const time = sensorTime(data);
        if (time !== undefined) return time;
        throw new ConvertError(
          `Cannot convert "${file}": a message on "${channel.topic}" of ${data.byteLength} bytes is too ` +
            'short to hold a header stamp. Set "clock: publish" or "clock: log" for the stream.',
        );
      };
    }
    default:
      return clock satisfies never;
  }
}
