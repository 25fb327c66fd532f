import { type Contract, type Feature, nearest, type SampleClock, type Stream } from '../schemas/contract.ts';
import type { EpisodeReader, ReadOptions } from '../schemas/episode-reader.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { Channel, Message } from '../schemas/message.ts';
import { createDecoder, createSensorTimeReader, type Decode } from '../schemas/message-codec.ts';
import { NANOS_PER_SEC, secsToNanos } from '../schemas/time.ts';

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
  /** Of the first message received; undefined when there is none. */
  readonly first: Received | undefined;
  /** Of the last message received; undefined when there is none. */
  readonly last: Received | undefined;
}

export interface ChannelPlan {
  /** Full name of the message type; empty for messages without a definition. */
  readonly type: string;
  /** The instant that a message's values belong to, on the contract's clock. */
  readonly timeOf: (message: Message) => bigint;
  readonly decode: Decode;
}

/** When a message came, on the contract's clock and on the recorder's. */
export interface Received {
  readonly time: bigint;
  readonly logTime: bigint;
}

/**
 * Finds the streams that features are made of in an episode.
 *
 * @throws {ConvertError} when a required stream is not there, has another type, or cannot be put on the
 * contract's clock.
 * @throws {MessageError} when a channel's messages cannot be decoded.
 */
export async function planStreams(reader: EpisodeReader, contract: Contract): Promise<StreamPlan[]> {
  const used = new Set(Object.values(contract.features).map(({ stream }) => stream));
  const plans = [...used].map((name) => planStream(reader, contract, name));
  const first = await firstReceived(reader, plans);
  const lastMessages = await reader.latestBefore(
    reader.endTime,
    plans.map(({ stream }) => stream.topic),
  );
  return plans.map((plan) => {
    const last = lastMessages.get(plan.stream.topic);
    return { ...plan, first: first.get(plan), last: last && received(plan, last) };
  });
}

type UndatedPlan = Omit<StreamPlan, 'first' | 'last'>;

function received({ channels }: UndatedPlan, message: Message): Received {
  return { time: channels.get(message.channel.id)!.timeOf(message), logTime: message.logTime };
}

/** Most streams begin within the first second, which is read once; the others are looked for one by one. */
async function firstReceived(
  reader: EpisodeReader,
  plans: readonly UndatedPlan[],
): Promise<ReadonlyMap<UndatedPlan, Received>> {
  const first = new Map<UndatedPlan, Received>();
  const missing = new Map(
    plans.filter(({ messageCount }) => messageCount > 0).map((plan) => [plan.stream.topic, plan]),
  );
  const find = async (topics: readonly string[], options?: ReadOptions) => {
    for await (const message of reader.messages({ ...options, topics })) {
      const plan = missing.get(message.channel.topic);
      if (plan) first.set(plan, received(plan, message));
      missing.delete(message.channel.topic);
      if (!topics.some((topic) => missing.has(topic))) return;
    }
  };
  await find([...missing.keys()], { endTime: reader.startTime + NANOS_PER_SEC });
  for (const topic of [...missing.keys()]) await find([topic]);
  return first;
}

function planStream(reader: EpisodeReader, contract: Contract, name: string): UndatedPlan {
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
    );
  }
  const clock = stream.clock ?? contract.samples.clock;
  const plans = new Map(
    channels.map((channel): [number, ChannelPlan] => {
      checkType(reader.file, name, stream, channel);
      const timeOf = channelClock(reader.file, name, channel, clock);
      return [channel.id, { type: channel.schema?.name ?? '', timeOf, decode: createDecoder(channel) }];
    }),
  );
  const features = Object.values(contract.features).filter((feature) => feature.stream === name);
  return {
    name,
    stream,
    messageCount,
    lookAheadNanos: lookAheadNanos(features),
    hasWindow: features.some((feature) => feature.align === 'window'),
    channels: plans,
  };
}

function lookAheadNanos(features: readonly Feature[]): bigint {
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
