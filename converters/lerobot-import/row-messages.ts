import type { ChannelSpec, MessageSchema, MessageValue } from '../../schemas/message.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { flatten } from '../dataset-reading.ts';
import type { ParquetRow } from '../parquet-reader.ts';
import { COMPRESSED_IMAGE, COMPRESSED_VIDEO, FLOAT_ARRAY, JOINT_STATE, TEXT } from './definitions.ts';
import { type FeatureTopic, type TopicKind, validColumn } from './feature-topics.ts';

export const TOPIC_SCHEMAS: Readonly<Record<TopicKind, MessageSchema>> = {
  joints: JOINT_STATE,
  numbers: FLOAT_ARRAY,
  video: COMPRESSED_IMAGE,
  image: COMPRESSED_IMAGE,
  h264: COMPRESSED_VIDEO,
  h265: COMPRESSED_VIDEO,
  text: TEXT,
};

export interface RowMessagesOptions {
  /** What each number of a joint is multiplied by; absent: numbers stay as they are. */
  readonly factors: readonly number[] | undefined;
}

/** Makes the messages of one topic out of rows of a dataset. */
export class RowMessages {
  readonly topic: FeatureTopic;
  readonly channel: ChannelSpec;
  readonly #factors: readonly number[] | undefined;
  readonly #encode: (message: MessageValue) => Uint8Array;

  constructor(topic: FeatureTopic, { factors }: RowMessagesOptions) {
    const schema = TOPIC_SCHEMAS[topic.kind];
    this.topic = topic;
    this.channel = { topic: topic.topic, messageEncoding: 'cdr', schema, metadata: new Map() };
    this.#factors = factors;
    this.#encode = createEncoder(topic.topic, schema);
  }

  /**
   * The message of a row; undefined where the row holds no value of its own.
   *
   * @param picture of a video's frame: a JPEG, or its packet.
   * @throws {RangeError} when the row is not what `info.json` says.
   */
  encode(row: ParquetRow, time: bigint, picture?: Uint8Array): Uint8Array | undefined {
    const { key, kind, names } = this.topic;
    if (row[validColumn(key)] === false) return undefined;
    const header = { stamp: nanosToStamp(time), frame_id: '' };
    switch (kind) {
      case 'joints': {
        const position = this.#numbers(row[key]).map((value, i) => value * (this.#factors?.[i] ?? 1));
        return this.#encode({ header, name: names, position, velocity: [], effort: [] });
      }
      case 'numbers':
        return this.#encode({ layout: { dim: [], data_offset: 0 }, data: this.#numbers(row[key]) });
      case 'text':
        return this.#encode({ data: String(row[key] ?? '') });
      case 'video':
        return this.#encode({ header, format: 'jpeg', data: picture ?? new Uint8Array() });
      case 'h264':
      case 'h265': {
        const { stamp: timestamp, frame_id } = header;
        return this.#encode({ timestamp, frame_id, data: picture ?? new Uint8Array(), format: kind });
      }
      case 'image': {
        const data = bytesOf(row[key]);
        if (!data) throw new RangeError(`feature "${key}" holds no picture`);
        return this.#encode({ header, format: data[0] === 0x89 ? 'png' : 'jpeg', data });
      }
      default:
        throw new TypeError(`Unknown topic ${kind satisfies never}`);
    }
  }

  #numbers(value: unknown): number[] {
    const numbers = flatten([value]).map(Number);
    const count = this.topic.shape.reduce((product, length) => product * length, 1);
    if (numbers.length === count) return numbers;
    throw new RangeError(
      `feature "${this.topic.key}" must hold ${count} numbers in every row, found ${numbers.length}`,
    );
  }
}

/** LeRobot keeps a picture as its file's bytes beside a path. */
function bytesOf(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : undefined;
  return bytes instanceof Uint8Array ? bytes : undefined;
}
