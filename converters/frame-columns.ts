import type { Contract, Feature, ImageFeature, VectorFeature } from '../schemas/contract.ts';
import { elementCount, type Frame, slotCount } from './frame.ts';

/** Of a frame, everything but the pixels: small enough to keep a whole episode of. */
export interface FrameNumbers {
  readonly tickTime: bigint;
  readonly values: ReadonlyMap<string, ValueNumbers>;
}

interface ValueNumbers {
  readonly valid: boolean;
  readonly ageNanos: bigint | undefined;
  /** Absent for pictures. */
  readonly elements?: Float64Array;
  /** Of each slot of a window. */
  readonly slotAgeSecs?: Float64Array;
}

/** What of a frame outlives it. */
export function numbersOf({ tickTime, values }: Frame): FrameNumbers {
  const numbers = new Map<string, ValueNumbers>();
  for (const [key, value] of values) {
    const { valid, ageNanos } = value;
    if (value.kind === 'image') numbers.set(key, { valid, ageNanos });
    else {
      const { elements, window } = value;
      numbers.set(key, { valid, ageNanos, elements, ...(window && { slotAgeSecs: window.ageSecs }) });
    }
  }
  return { tickTime, values: numbers };
}

export type ElementType = VectorFeature['dtype'];

/** Rows of one shape, flattened one after the other; booleans as 0 and 1. */
export type ColumnNumbers = Float32Array | Float64Array | BigInt64Array | Uint8Array;

/** What a dataset holds of every frame beside the pictures: a feature's value, its age or its mask, or the tick. */
export interface FrameColumn {
  readonly content: 'value' | 'age' | 'valid' | 'tickTime';
  /** Dataset key of the feature; empty for the tick. */
  readonly key: string;
  readonly dtype: ElementType;
  /** Shape of one row; [1] for plain numbers. */
  readonly shape: readonly number[];
  /** Name of each element; null where they have none. */
  readonly names: readonly string[] | null;
  rows(frames: readonly FrameNumbers[]): ColumnNumbers;
}

/** Shape of one row where a plain number has none; a feature keeps the shape that the contract gives it. */
export function rowShape({ content, shape }: FrameColumn): readonly number[] {
  const isPlain = content !== 'value' && shape.length === 1 && shape[0] === 1;
  return isPlain ? [] : shape;
}

/** The vector features in the contract's order, then age and mask of every feature, then the tick's time. */
export function frameColumns({ features }: Contract): readonly FrameColumn[] {
  const vectors = Object.entries(features).flatMap(([key, feature]) =>
    feature.kind === 'vector' ? [valueColumn(key, feature)] : [],
  );
  const timing = Object.entries(features).flatMap(([key, feature]) => [
    ageColumn(key, feature),
    validColumn(key),
  ]);
  return [...vectors, ...timing, tickTimeColumn];
}

/** The features that are pictures, by key. */
export function imageFeatures({ features }: Contract): readonly (readonly [string, ImageFeature])[] {
  return Object.entries(features).flatMap(([key, feature]) =>
    feature.kind === 'image' ? [[key, feature] as const] : [],
  );
}

function valueColumn(key: string, feature: VectorFeature): FrameColumn {
  const { dtype, shape, names = null } = feature;
  const width = elementCount(feature);
  return {
    content: 'value',
    key,
    dtype,
    shape,
    names,
    rows: (frames) => {
      const flat = new Float64Array(frames.length * width);
      for (const [i, { values }] of frames.entries()) flat.set(values.get(key)!.elements!, i * width);
      return cast(flat, dtype);
    },
  };
}

function cast(values: Float64Array, dtype: ElementType): ColumnNumbers {
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

const scalar = { shape: [1], names: null } as const;

/** Seconds from the value's own time to the tick, of a window for each slot; NaN where there is no value. */
function ageColumn(key: string, feature: Feature): FrameColumn {
  const slots = slotCount(feature);
  const ageSecs = (ageNanos: bigint | undefined) =>
    ageNanos === undefined ? Number.NaN : Number(ageNanos) / 1e9;
  return {
    ...scalar,
    ...(slots && { shape: [slots] }),
    content: 'age',
    key,
    dtype: 'float32',
    rows: (frames) => {
      const width = slots ?? 1;
      const ages = new Float32Array(frames.length * width);
      for (const [i, { values }] of frames.entries()) {
        const { ageNanos, slotAgeSecs } = values.get(key)!;
        if (slotAgeSecs) ages.set(slotAgeSecs, i * width);
        else ages[i] = ageSecs(ageNanos);
      }
      return ages;
    },
  };
}

/** Whether the value lies within its tolerance of the tick. */
function validColumn(key: string): FrameColumn {
  return {
    ...scalar,
    content: 'valid',
    key,
    dtype: 'bool',
    rows: (frames) => Uint8Array.from(frames, ({ values }) => Number(values.get(key)!.valid)),
  };
}

/** Nanoseconds on the contract's clock. */
const tickTimeColumn: FrameColumn = {
  ...scalar,
  content: 'tickTime',
  key: '',
  dtype: 'int64',
  rows: (frames) => BigInt64Array.from(frames, ({ tickTime }) => tickTime),
};
