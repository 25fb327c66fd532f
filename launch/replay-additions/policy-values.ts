import {
  type FrameValue,
  isNumeric,
  type NumberForm,
  numberForm,
  type VectorValue,
} from '../../converters/frame.ts';
import { seenFeatures } from '../../converters/seekable-frames.ts';
import type { Contract, Feature } from '../../schemas/contract.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import type { ChannelSpec, MessageSchema } from '../../schemas/message.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToSecs, nanosToStamp } from '../../schemas/time.ts';
import { ELEMENT_NAMES } from '../../viewer/layout-topics.ts';
import { messageSchema } from '../demo-robot/definitions.ts';

/** How the value of a feature becomes a message that plots and image panels understand. */
export interface PolicyTopic {
  readonly channel: ChannelSpec;
  /** Whether pixels are to be decoded for it. */
  readonly isPicture: boolean;
  encode(value: FrameValue, logTime: bigint): Uint8Array | Promise<Uint8Array>;
}

/** `observation.images.front` under `/kinescribe/policy/observation/images/front`: paths of plots know no dots. */
export function policyTopics(contract: Contract): ReadonlyMap<string, PolicyTopic> {
  return new Map(
    Object.entries(seenFeatures(contract)).map(([key, feature]) => [key, policyTopic(key, feature)]),
  );
}

function policyTopic(key: string, feature: Feature): PolicyTopic {
  const topic = `/kinescribe/policy/${key.replaceAll('.', '/')}`;
  if (feature.kind === 'image') return pictureTopic(topic);
  if (feature.kind === 'depth') return depthTopic(topic);
  return numberTopic(topic, feature);
}

const text = new TextEncoder();
const metadata = new Map<string, string>();
/** Pictures of datasets are small; a policy's eye should show what it has, not what JPEG made of it. */
const JPEG_QUALITY = 95;

function cdrChannel(topic: string, schema: MessageSchema): ChannelSpec {
  return { topic, messageEncoding: 'cdr', schema, metadata };
}

function pictureTopic(topic: string): PolicyTopic {
  const schema = messageSchema('sensor_msgs/msg/CompressedImage');
  const encode = createEncoder(topic, schema);
  return {
    channel: cdrChannel(topic, schema),
    isPicture: true,
    encode: async (value, logTime) => {
      if (value.kind !== 'image') throw new TypeError(`${topic} is a picture`);
      const { width, height } = value.feature;
      const data = await encodeJpeg({ pixels: value.pixels, width, height }, JPEG_QUALITY);
      return encode({ header: header(logTime), format: 'jpeg', data });
    },
  };
}

function depthTopic(topic: string): PolicyTopic {
  const schema = messageSchema('sensor_msgs/msg/Image');
  const encode = createEncoder(topic, schema);
  return {
    channel: cdrChannel(topic, schema),
    isPicture: true,
    encode: (value, logTime) => {
      if (value.kind !== 'vector') throw new TypeError(`${topic} is a depth map`);
      const [height = 0, width = 0] = numberForm(value.feature).shape;
      const isMetres = numberForm(value.feature).dtype === 'float32';
      const elements = isMetres ? Float32Array.from(value.elements) : Uint16Array.from(value.elements);
      return encode({
        header: header(logTime),
        ...{ height, width, is_bigendian: 0, step: width * elements.BYTES_PER_ELEMENT },
        encoding: isMetres ? '32FC1' : '16UC1',
        data: new Uint8Array(elements.buffer),
      });
    },
  };
}

function header(logTime: bigint) {
  return { stamp: nanosToStamp(logTime), frame_id: '' };
}

/** A value with its age and mask, as JSON; numbers that are none are null. */
function numberTopic(topic: string, feature: Feature): PolicyTopic {
  const isText = feature.kind === 'text';
  const names = isNumeric(feature) ? elementNames(numberForm(feature)) : [];
  const schema = jsonSchema('kinescribe.PolicyValue', {
    valid: { type: 'boolean' },
    age_secs: { type: 'number' },
    ...(isText ? { text: { type: 'string' } } : { value: { type: 'array', items: { type: 'number' } } }),
  });
  return {
    channel: {
      topic,
      messageEncoding: 'json',
      schema,
      metadata: new Map([[ELEMENT_NAMES, JSON.stringify(names)]]),
    },
    isPicture: feature.kind === 'points',
    encode: (value) =>
      text.encode(
        JSON.stringify({
          ...timing(value),
          ...(value.kind === 'text' && { text: value.text }),
          ...(value.kind === 'vector' && { value: Array.from((value as VectorValue).elements) }),
        }),
      ),
  };
}

/** Lists of more numbers are nothing to read one by one. */
const MAX_NAMES = 64;

function elementNames({ names, shape }: NumberForm): readonly string[] {
  const count = shape.reduce((product, n) => product * n, 1);
  return names ?? Array.from({ length: Math.min(count, MAX_NAMES) }, (_, index) => String(index));
}

/** One line per feature and tick: how old each value is, and whether it counts. */
export const AGES_CHANNEL: ChannelSpec = {
  topic: '/kinescribe/policy/ages',
  messageEncoding: 'json',
  schema: jsonSchema('kinescribe.PolicyAges', {
    tick: { type: 'integer' },
    features: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          key: { type: 'string' },
          valid: { type: 'boolean' },
          age_secs: { type: 'number' },
        },
      },
    },
  }),
  metadata,
};

export function encodeAges(tick: number, values: ReadonlyMap<string, FrameValue>): Uint8Array {
  const features = [...values].map(([key, value]) => ({ key, ...timing(value) }));
  return text.encode(JSON.stringify({ tick, features }));
}

function timing({ valid, ageNanos }: FrameValue) {
  return { valid, age_secs: ageNanos === undefined ? null : nanosToSecs(ageNanos) };
}

function jsonSchema(name: string, properties: Readonly<Record<string, object>>): MessageSchema {
  const definition = JSON.stringify({ type: 'object', properties });
  return { name, encoding: 'jsonschema', data: text.encode(definition) };
}
