import { nearest, type PointsFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { MessageValue } from '../schemas/message.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { bytesOf } from './feature-pick.ts';
import type { FeatureOrigin } from './feature-vector.ts';
import { elementCount, type VectorValue } from './frame.ts';

/** Makes as many points of a `sensor_msgs/msg/PointCloud2` as a feature asks for. */
export class PointsReader {
  readonly #feature: PointsFeature;
  readonly #origin: FeatureOrigin;
  readonly #masked: Float32Array;
  /** The message read last: one serves several ticks when it comes more slowly than they do. */
  #recent: { readonly sample: Sample; readonly points: Float32Array } | undefined;

  constructor(feature: PointsFeature, origin: FeatureOrigin) {
    this.#feature = feature;
    this.#origin = origin;
    this.#masked = emptyPoints(feature);
  }

  /** @throws {ConvertError} when the message is no cloud, or one without a field that the feature names. */
  read({ valid, ageNanos, value }: Choice<Sample>): VectorValue {
    const timing = { kind: 'vector', feature: this.#feature, valid, ageNanos } as const;
    if (!value) return { ...timing, elements: this.#masked };
    if (value !== this.#recent?.sample) this.#recent = { sample: value, points: this.#points(value) };
    return { ...timing, elements: this.#recent.points };
  }

  #points({ value, channel }: Sample): Float32Array {
    try {
      return drawn(cloudOf(value), this.#feature);
    } catch (cause) {
      const { key, topic, file } = this.#origin;
      throw new ConvertError(
        `Cannot make feature "${key}" of "${file}": a "${channel.type}" on "${topic}" does not become ` +
          `points: ${(cause as Error).message}.`,
        { cause, contractPath: ['features', key, 'fields'] },
      );
    }
  }
}

interface Cloud {
  readonly count: number;
  readonly fields: readonly string[];
  /** Reads a number of any point. @throws {RangeError} when the cloud has no such field. */
  reader(field: string): (point: number) => number;
}

/** By the constants of `sensor_msgs/msg/PointField`. */
const READERS: Readonly<Record<number, (view: DataView, at: number, littleEndian: boolean) => number>> = {
  1: (view, at) => view.getInt8(at),
  2: (view, at) => view.getUint8(at),
  3: (view, at, little) => view.getInt16(at, little),
  4: (view, at, little) => view.getUint16(at, little),
  5: (view, at, little) => view.getInt32(at, little),
  6: (view, at, little) => view.getUint32(at, little),
  7: (view, at, little) => view.getFloat32(at, little),
  8: (view, at, little) => view.getFloat64(at, little),
};
const UINT32 = 6;

/** Bits above which a colour lies in a packed "rgb" or "rgba", as PCL packs them. */
const COLOURS: Readonly<Record<string, number>> = { r: 16, g: 8, b: 0 };

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly datatype: number;
}

function cloudOf(message: MessageValue): Cloud {
  const { width, height, point_step: pointStep, row_step: rowStep, fields } = message;
  if (
    typeof width !== 'number' ||
    typeof height !== 'number' ||
    typeof pointStep !== 'number' ||
    typeof rowStep !== 'number' ||
    !Array.isArray(fields)
  ) {
    throw new RangeError('it lacks "width", "height", "point_step", "row_step" or "fields"');
  }
  const data = bytesOf(message);
  if (data.byteLength < height * rowStep || rowStep < width * pointStep) {
    throw new RangeError(`${data.byteLength} bytes do not hold ${height} rows of ${width} points`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const littleEndian = message.is_bigendian !== true && message.is_bigendian !== 1;
  const place = (point: number) => Math.floor(point / width) * rowStep + (point % width) * pointStep;
  const byName = new Map((fields as Field[]).map((field) => [field.name, field]));
  const names = [...byName.keys()];
  const read = ({ offset, datatype }: Pick<Field, 'offset' | 'datatype'>) => {
    const number = READERS[datatype];
    if (!number) throw new RangeError(`a field has the unknown type ${datatype}`);
    return (point: number) => number(view, place(point) + offset, littleEndian);
  };
  return {
    count: width * height,
    fields: names,
    reader: (name) => {
      const field = byName.get(name);
      if (field) return read(field);
      const packed = byName.get('rgb') ?? byName.get('rgba');
      const shift = COLOURS[name];
      if (packed && shift !== undefined) {
        // Whatever type it is declared as: the bits of four bytes.
        const bits = read({ offset: packed.offset, datatype: UINT32 });
        return (point) => (bits(point) >>> shift) & 0xff;
      }
      const near = nearest(name, names);
      throw new RangeError(
        `it has no field "${name}"${near ? `; did you mean "${near}"?` : `; there are: ${names.join(', ')}`}`,
      );
    },
  };
}

/** As many of the points that count as the feature asks for, in the cloud's order, each as likely as any other. */
function drawn(cloud: Cloud, feature: PointsFeature): Float32Array {
  const { count, fields } = feature;
  const counts = pointFilter(cloud, feature);
  const candidates: number[] = [];
  for (let point = 0; point < cloud.count; point++) if (counts(point)) candidates.push(point);
  const readers = fields.map((field) => (field === 'real' ? () => 1 : cloud.reader(field)));
  const points = emptyPoints(feature);
  const random = randomNumbers(feature.seed);
  let row = 0;
  // Knuth, The Art of Computer Programming 3.4.2, algorithm S.
  for (const [i, point] of candidates.entries()) {
    if (row === count) break;
    if (candidates.length - i > count - row && random() * (candidates.length - i) >= count - row) continue;
    for (const [channel, read] of readers.entries()) points[row * fields.length + channel] = read(point);
    row++;
  }
  return points;
}

/** Points without a place (NaN where nothing came back) never count. */
function pointFilter(cloud: Cloud, { within }: PointsFeature): (point: number) => boolean {
  const place = ['x', 'y', 'z'].map((axis) => cloud.reader(axis));
  const distance = (point: number) => Math.hypot(...place.map((read) => read(point)));
  const limits = Object.entries(within).map(([field, [least, most]]) => {
    const read = field === 'distance' ? distance : cloud.reader(field);
    return (point: number) => read(point) >= least && read(point) <= most;
  });
  return (point) =>
    place.every((read) => Number.isFinite(read(point))) && limits.every((holds) => holds(point));
}

/** No point at all: NaN, and 0 for "real". */
function emptyPoints(feature: PointsFeature): Float32Array {
  const points = new Float32Array(elementCount(feature)).fill(Number.NaN);
  const real = feature.fields.indexOf('real');
  if (real >= 0) for (let i = real; i < points.length; i += feature.fields.length) points[i] = 0;
  return points;
}

/** Mulberry32: numbers in [0, 1) that a seed decides, the same on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
