import { replayedQos } from '../../recorder/qos.ts';
import { readImageHeader } from '../../schemas/image-codec.ts';
import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import {
  createDecoder,
  createSensorTimeReader,
  type Decode,
  type ReadSensorTime,
} from '../../schemas/message-codec.ts';

/** What was seen of one topic. */
export interface ObservedTopic {
  readonly topic: string;
  /** Message type, or the message encoding where messages have no definition. */
  readonly type: string;
  /** What its publishers offer, `reliable, volatile`; undefined where the recording or the robot does not tell. */
  readonly offeredQos: string | undefined;
  /** Types of further channels on the topic, which a contract cannot name. */
  readonly otherTypes: readonly string[];
  readonly messageCount: number;
  readonly bytes: number;
  /** Of every message, in order of arrival. */
  readonly logTimes: readonly bigint[];
  readonly publishTimes: readonly bigint[];
  /** Undefined for types that do not begin with a header. */
  readonly sensorTimes: readonly bigint[] | undefined;
  /** Some of the messages, decoded; the first few and then ever fewer. */
  readonly samples: readonly MessageValue[];
  /** Why messages could not be decoded, in a sentence without a full stop. */
  readonly fault: string | undefined;
  readonly picture: PictureFacts | undefined;
}

/** Size of a picture, and what it is coded in: a file format, or a pixel encoding of ROS. */
export interface PictureFacts {
  readonly width: number;
  readonly height: number;
  readonly coding: string;
}

/** After these, one message in twenty of those seen so far is decoded: a few hundred of a million. */
const FIRST_SAMPLES = 5;
const SAMPLE_GROWTH = 1.05;
/** Pictures and clouds: one says it all, and more would fill the memory. */
const LARGE_BYTES = 32_768;

export class TopicObserver {
  readonly topic: string;
  readonly #type: string;
  readonly #offeredQos: string | undefined;
  readonly #decode: Decode | undefined;
  readonly #readSensorTime: ReadSensorTime | undefined;
  readonly #otherTypes = new Set<string>();
  readonly #logTimes: bigint[] = [];
  readonly #publishTimes: bigint[] = [];
  readonly #sensorTimes: bigint[] = [];
  readonly #samples: MessageValue[] = [];
  #nextSample = 0;
  #bytes = 0;
  #fault: string | undefined;

  constructor(spec: ChannelSpec) {
    this.topic = spec.topic;
    this.#type = typeOf(spec);
    this.#offeredQos = offeredQos(spec);
    this.#readSensorTime = createSensorTimeReader(spec);
    try {
      this.#decode = createDecoder(spec);
    } catch (error) {
      this.#fault = faultOf(error);
    }
  }

  isOfSameType(spec: ChannelSpec): boolean {
    return typeOf(spec) === this.#type;
  }

  addChannel(spec: ChannelSpec): void {
    if (!this.isOfSameType(spec)) this.#otherTypes.add(typeOf(spec));
  }

  add({
    logTime,
    publishTime = logTime,
    data,
  }: {
    logTime: bigint;
    publishTime?: bigint;
    data: Uint8Array;
  }): void {
    this.#logTimes.push(logTime);
    this.#publishTimes.push(publishTime);
    const sensorTime = this.#readSensorTime?.(data);
    if (sensorTime !== undefined) this.#sensorTimes.push(sensorTime);
    this.#bytes += data.byteLength;
    const index = this.#logTimes.length - 1;
    if (index < this.#nextSample || (data.byteLength > LARGE_BYTES && this.#samples.length > 0)) return;
    this.#nextSample = index < FIRST_SAMPLES ? index + 1 : Math.ceil(index * SAMPLE_GROWTH) + 1;
    try {
      const sample = this.#decode?.(data.slice()); // what is decoded may be views of it
      if (sample) this.#samples.push(sample);
    } catch (error) {
      this.#fault ??= faultOf(error);
    }
  }

  async finish(): Promise<ObservedTopic> {
    const messageCount = this.#logTimes.length;
    return {
      topic: this.topic,
      type: this.#type,
      offeredQos: this.#offeredQos,
      otherTypes: [...this.#otherTypes],
      messageCount,
      bytes: this.#bytes,
      logTimes: this.#logTimes,
      publishTimes: this.#publishTimes,
      sensorTimes:
        this.#readSensorTime && this.#sensorTimes.length === messageCount ? this.#sensorTimes : undefined,
      samples: this.#samples,
      fault: this.#fault,
      picture: this.#samples[0] && (await pictureFacts(this.#type, this.#samples[0])),
    };
  }
}

function typeOf({ schema, messageEncoding }: ChannelSpec): string {
  return schema?.name || messageEncoding;
}

function offeredQos(spec: ChannelSpec): string | undefined {
  const offered = spec.metadata.get('offered_qos_profiles');
  if (!offered) return undefined;
  const { reliability, durability } = replayedQos(typeOf(spec), offered);
  return `${reliability}, ${durability}`;
}

function faultOf(error: unknown): string {
  return (error as Error).message.split('. ')[0]!;
}

async function pictureFacts(type: string, { data, width, height, encoding }: MessageValue) {
  if (/\/(msg\/)?CompressedImage$/.test(type) && data instanceof Uint8Array) {
    const header = await readImageHeader(data).catch(() => undefined); // depth, or no picture at all
    return header && { width: header.width, height: header.height, coding: header.format };
  }
  if (/\/(msg\/)?Image$/.test(type) && typeof width === 'number' && typeof height === 'number') {
    return { width, height, coding: String(encoding) };
  }
  return undefined;
}
