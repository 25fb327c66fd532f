import type { Contract, ImageFeature, VectorFeature } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { EpisodeHeader } from '../dataset-writer.ts';
import { elementCount, type Frame } from '../frame.ts';
import type { TensorColumn, TensorRows } from './parquet-file.ts';

/** The frames of one episode without their pictures, as the columns need them. */
export interface EpisodeFrames {
  readonly header: EpisodeHeader;
  readonly frames: readonly FrameNumbers[];
  /** Position of the first frame in the dataset. */
  readonly firstIndex: number;
  readonly taskIndex: number;
}

interface FrameNumbers {
  readonly tickTime: bigint;
  readonly values: ReadonlyMap<string, ValueNumbers>;
}

interface ValueNumbers {
  readonly valid: boolean;
  readonly ageNanos: bigint | undefined;
  /** Absent for pictures. */
  readonly elements?: Float64Array;
}

/** What of a frame outlives it: everything but the pixels, which went to the encoder. */
export function numbersOf({ tickTime, values }: Frame): FrameNumbers {
  const numbers = new Map<string, ValueNumbers>();
  for (const [key, value] of values) {
    const { valid, ageNanos } = value;
    numbers.set(
      key,
      value.kind === 'vector' ? { valid, ageNanos, elements: value.elements } : { valid, ageNanos },
    );
  }
  return { tickTime, values: numbers };
}

/** A column of the data files, and how it comes about. */
export interface DataColumn extends TensorColumn {
  /** Name of each element; null where they have none. */
  readonly names: readonly string[] | null;
  /** The feature whose mask says which rows count in statistics; all do if absent. */
  readonly maskedBy?: string;
  rows(episode: EpisodeFrames): TensorRows;
}

/**
 * The columns of a contract: its vector features, then for every feature `age.<key>` and `valid.<key>`,
 * then `tick_time`, then the columns that LeRobot itself demands. Names of the additions begin with neither
 * `observation` nor `action`: LeRobot would take them for inputs and outputs of a policy.
 *
 * @throws {ConvertError} when two columns would have one name, or a shape has more than five dimensions.
 */
export function dataColumns({ features, samples }: Contract): readonly DataColumn[] {
  const vectors = Object.entries(features).flatMap(([key, feature]) =>
    feature.kind === 'vector' ? [vectorColumn(key, feature)] : [],
  );
  const timing = Object.keys(features).flatMap((key) => [ageColumn(key), validColumn(key)]);
  const columns = [...vectors, ...timing, ...frameColumns(samples.tickRateHz)];
  const names = new Set(
    Object.entries(features).flatMap(([key, { kind }]) => (kind === 'image' ? [key] : [])),
  );
  for (const { name, shape } of columns) {
    if (names.has(name)) {
      throw new ConvertError(
        `Cannot write LeRobot: two columns are named "${name}". Rename that feature in the contract.`,
      );
    }
    if (shape.length > 5) {
      throw new ConvertError(
        `Cannot write LeRobot: feature "${name}" has ${shape.length} dimensions, at most 5 are possible.`,
      );
    }
    names.add(name);
  }
  return columns;
}

/** The features that become videos, by key. */
export function cameras({ features }: Contract): readonly (readonly [string, ImageFeature])[] {
  return Object.entries(features).flatMap(([key, feature]) =>
    feature.kind === 'image' ? [[key, feature] as const] : [],
  );
}

function vectorColumn(key: string, feature: VectorFeature): DataColumn {
  const { dtype, shape, names = null } = feature;
  const width = elementCount(feature);
  return {
    kind: 'tensor',
    name: key,
    dtype,
    shape,
    names,
    maskedBy: key,
    rows: ({ frames }) => {
      const flat = new Float64Array(frames.length * width);
      for (const [i, { values }] of frames.entries()) flat.set(values.get(key)!.elements!, i * width);
      return cast(flat, dtype);
    },
  };
}

function cast(values: Float64Array, dtype: TensorColumn['dtype']): TensorRows {
  switch (dtype) {
    case 'float64':
      return values;
    case 'float32':
      return Float32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    default:
      throw dtype satisfies never;
  }
}

const scalar = { kind: 'tensor', shape: [1], names: null } as const;

/** Seconds from the value's own time to the tick; NaN where there is no value. */
function ageColumn(key: string): DataColumn {
  return {
    ...scalar,
    name: `age.${key}`,
    dtype: 'float32',
    rows: ({ frames }) =>
      Float32Array.from(frames, ({ values }) => {
        const { ageNanos } = values.get(key)!;
        return ageNanos === undefined ? Number.NaN : Number(ageNanos) / 1e9;
      }),
  };
}

/** Whether the value lies within its tolerance of the tick. */
function validColumn(key: string): DataColumn {
  return {
    ...scalar,
    name: `valid.${key}`,
    dtype: 'bool',
    rows: ({ frames }) => Uint8Array.from(frames, ({ values }) => Number(values.get(key)!.valid)),
  };
}

function frameColumns(fps: number): readonly DataColumn[] {
  const integers = (name: string, value: (episode: EpisodeFrames, frame: number) => bigint): DataColumn => ({
    ...scalar,
    name,
    dtype: 'int64',
    rows: (episode) => BigInt64Array.from(episode.frames, (_, frame) => value(episode, frame)),
  });
  return [
    integers('tick_time', ({ frames }, frame) => frames[frame]!.tickTime),
    {
      ...scalar,
      name: 'timestamp',
      dtype: 'float32',
      // Readers look the frame up in the video by this number: it must lie on the grid. The real instant of
      // the frame is tick_time.
      rows: ({ frames }) => Float32Array.from(frames, (_, frame) => frame / fps),
    },
    integers('frame_index', (_, frame) => BigInt(frame)),
    integers('episode_index', ({ header }) => BigInt(header.index)),
    integers('index', ({ firstIndex }, frame) => BigInt(firstIndex + frame)),
    integers('task_index', ({ taskIndex }) => BigInt(taskIndex)),
  ];
}
