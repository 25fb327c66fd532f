import type { DepthFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import { decodeGrey16 } from '../schemas/image-codec.ts';
import type { MessageValue } from '../schemas/message.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { bytesOf } from './feature-pick.ts';
import type { FeatureOrigin } from './feature-vector.ts';
import type { VectorValue } from './frame.ts';
import { nearestPixels, pictureMap } from './picture-geometry.ts';
import { decodeRvl } from './rvl.ts';

type DepthMap = Float32Array | Uint16Array;

/** Makes the depth map of one feature from the messages chosen for it; each is decoded once. */
export class DepthReader {
  readonly #feature: DepthFeature;
  readonly #origin: FeatureOrigin;
  readonly #masked: DepthMap;
  /** The message shown last, and its map. */
  #sample: Sample | undefined;
  #map: Promise<DepthMap> | undefined;

  constructor(feature: DepthFeature, origin: FeatureOrigin) {
    this.#feature = feature;
    this.#origin = origin;
    this.#masked = emptyMap(feature);
  }

  /**
   * To be called in order of ticks; the promises may be awaited later.
   *
   * @throws {ConvertError} when the message is no depth map, or one that does not decode.
   */
  async read({ valid, ageNanos, value }: Choice<Sample>): Promise<VectorValue> {
    const timing = { kind: 'vector', feature: this.#feature, valid, ageNanos } as const;
    if (!value) return { ...timing, elements: this.#masked };
    if (value !== this.#sample) {
      this.#sample = value;
      this.#map = this.#decode(value);
    }
    return { ...timing, elements: await this.#map! };
  }

  async #decode(sample: Sample): Promise<DepthMap> {
    try {
      return resampled(await decodeDepth(sample), this.#feature);
    } catch (cause) {
      const { key, topic, file } = this.#origin;
      throw new ConvertError(
        `Cannot make feature "${key}" of "${file}": a "${sample.channel.type}" on "${topic}" does not ` +
          `become a depth map: ${(cause as Error).message}.`,
        { cause, contractPath: ['features', key] },
      );
    }
  }
}

/** A depth map as a camera sends it. */
interface RawDepth {
  readonly width: number;
  readonly height: number;
  /** The unit that REP 118 gives to the encoding. */
  readonly unit: 'm' | 'mm';
  /** Of one pixel; NaN where nothing was measured. */
  at(index: number): number;
}

function decodeDepth({ value, channel }: Sample): RawDepth | Promise<RawDepth> {
  switch (channel.type.replace('/msg/', '/')) {
    case 'sensor_msgs/Image':
    case 'foxglove_msgs/RawImage':
      return rawDepth(value);
    case 'sensor_msgs/CompressedImage':
    case 'foxglove_msgs/CompressedImage':
      return compressedDepth(value);
    default:
      throw new RangeError(
        'the type is not one of "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"',
      );
  }
}

const measured16 = (depth: number) => (depth === 0 ? Number.NaN : depth);
/** REP 117: infinity for what is too far or too near, NaN for what failed. Some drivers send 0. None is a distance. */
const measured32 = (depth: number) => (depth > 0 && depth < Number.POSITIVE_INFINITY ? depth : Number.NaN);

function rawDepth(message: MessageValue): RawDepth {
  const { width, height, step, encoding } = message;
  const isBigEndian = message.is_bigendian === 1 || message.is_bigendian === true;
  if (typeof width !== 'number' || typeof height !== 'number' || typeof step !== 'number') {
    throw new RangeError('it lacks "width", "height" or "step"');
  }
  const data = bytesOf(message);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = encoding === '32FC1' ? 4 : 2;
  if (encoding !== '32FC1' && encoding !== '16UC1' && encoding !== 'mono16') {
    throw new RangeError(`encoding "${encoding}" is not one of 16UC1, 32FC1`);
  }
  if (step < width * size || data.byteLength < height * step) {
    throw new RangeError(
      `${width}×${height} pixels of ${size} bytes in rows of ${step} bytes do not fit into ${data.byteLength} bytes`,
    );
  }
  const place = (index: number) => Math.floor(index / width) * step + (index % width) * size;
  return {
    ...{ width, height, unit: size === 4 ? 'm' : 'mm' },
    at: (index) =>
      size === 4
        ? measured32(view.getFloat32(place(index), !isBigEndian))
        : measured16(view.getUint16(place(index), !isBigEndian)),
  };
}

/**
 * What precedes the picture in `compressed_depth_image_transport`: int32 kind, float32 parameters A and B of the
 * quantisation. Topics of `compressed_image_transport` have the PNG alone.
 */
const CONFIG_BYTES = 12;
const PNG_SIGNATURE = '89504e470d0a1a0a';

const isPng = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 8)).toString('hex') === PNG_SIGNATURE;

async function compressedDepth(message: MessageValue): Promise<RawDepth> {
  const data = bytesOf(message);
  const format = String(message.format);
  const encoding = format.split(';', 1)[0]!.trim();
  const picture = isPng(data) ? data : data.subarray(CONFIG_BYTES);
  const isRvl = /compressedDepth rvl/.test(format);
  if (!isRvl && !isPng(picture)) {
    throw new RangeError(`its format is "${format}", but its ${data.byteLength} bytes are no PNG`);
  }
  const { pixels, width, height } = isRvl ? decodeRvl(picture) : await decodeGrey16(picture);
  if (encoding !== '32FC1') {
    return { width, height, unit: 'mm', at: (index) => measured16(pixels[index]!) };
  }
  if (picture === data)
    throw new RangeError(`its format "${format}" does not say how metres were made whole numbers`);
  // Inverse depth, quantised: depth = A / (value - B), and 0 for nothing measured; in 32 bits, as the plugin computes.
  const view = new DataView(data.buffer, data.byteOffset, CONFIG_BYTES);
  const [a, b] = [view.getFloat32(4, true), view.getFloat32(8, true)];
  return {
    ...{ width, height, unit: 'm' },
    at: (index) =>
      pixels[index] === 0 ? Number.NaN : measured32(Math.fround(a / Math.fround(pixels[index]! - b))),
  };
}

/** Nothing between two surfaces was measured, so that depths are never mixed: the nearest pixel is taken. */
function resampled(source: RawDepth, feature: DepthFeature): DepthMap {
  const { width, height, unit } = feature;
  const from = feature.sourceUnit ?? source.unit;
  const factor = from === unit ? 1 : unit === 'm' ? 1e-3 : 1e3;
  const { x, y } = pictureMap(source, feature);
  const [columns, rows] = [nearestPixels(x, width), nearestPixels(y, height)];
  const map = emptyMap(feature);
  for (let i = 0; i < map.length; i++) {
    const [row, column] = [rows[Math.floor(i / width)]!, columns[i % width]!];
    if (row < 0 || column < 0) continue;
    const depth = source.at(row * source.width + column) * factor;
    if (map instanceof Float32Array) map[i] = depth;
    else if (depth < 65_535.5) map[i] = Math.round(depth); // beyond 65 m millimetres have no number
  }
  return map;
}

function emptyMap({ unit, width, height }: DepthFeature): DepthMap {
  return unit === 'm' ? new Float32Array(width * height).fill(Number.NaN) : new Uint16Array(width * height);
}
