import { type Contract, nearest, type SampleClock, type Stream } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { Channel, Message } from '../schemas/message.ts';
import { createDecoder, createSensorTimeReader, type Decode } from '../schemas/message-codec.ts';
import { secsToNanos } from '../schemas/time.ts';

/** One stream of the contract as one episode holds it. */
export interface StreamPlan {
  readonly name: string;
  readonly stream: Stream;
  /** Messages of the topic in the episode, over all its channels; 0 only where the stream is optional. */
  readonly messageCount: number;
  /** How far after a tick a feature may take a value from; 0 where all features are causal. */
  readonly lookAheadNanos: bigint;
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
  return Promise.all([...used].map((name) => planStream(reader, contract, name)));
}

async function planStream(reader: EpisodeReader, contract: Contract, name: string): Promise<StreamPlan> {
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
  const edge = async (reverse: boolean) => {
    for await (const message of reader.messages({ topics: [topic], reverse })) {
      return { time: plans.get(message.channel.id)!.timeOf(message), logTime: message.logTime };
    }
    return undefined;
  };
  return {
    name,
    stream,
    messageCount,
    lookAheadNanos: lookAheadNanos(contract, name),
    channels: plans,
    first: await edge(false),
    last: await edge(true),
  };
}

function lookAheadNanos({ features }: Contract, stream: string): bigint {
  const secs = Object.values(features)
    .filter((feature) => feature.stream === stream && feature.align !== 'hold')
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
