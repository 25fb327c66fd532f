import type { Contract, Feature, ImageFeature, VectorFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import { cutRows, type EpisodeNumbers, elementRows, LARGE_ROW } from './episode-numbers.ts';
import { type Elements, isNumeric, type NumericFeature, numberForm, slotCount } from './frame.ts';
import type { FrameRange } from './stored-elements.ts';

export type ElementType = VectorFeature['dtype'];

/** Rows of one shape, flattened one after the other; booleans as 0 and 1. */
export type ColumnNumbers =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int16Array
  | Uint16Array
  | Uint8Array;

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
  /** Whether one number is a plain number rather than a list of one. */
  readonly isScalar: boolean;
  /** Of some frames, or of all. */
  rows(numbers: EpisodeNumbers, range?: FrameRange): ColumnNumbers;
}

/** Gives single rows of a column; small ones are made once for all frames. */
export function rowReader(
  column: Pick<FrameColumn, 'rows'>,
  numbers: EpisodeNumbers,
): (frame: number) => ColumnNumbers {
  const { frames } = numbers;
  const row = (frame: number) => ({ from: frame, to: frame + 1 });
  if (column.rows(numbers, row(0)).length > LARGE_ROW) return (frame) => column.rows(numbers, row(frame));
  const all = column.rows(numbers);
  return (frame) => cutRows(all, { ...row(frame), frames });
}

/** Shape of one row where a plain number has none; a feature keeps the shape that the contract gives it. */
export function rowShape({ isScalar, shape }: FrameColumn): readonly number[] {
  const isPlain = isScalar && shape.length === 1 && shape[0] === 1;
  return isPlain ? [] : shape;
}

/** The features that are numbers, in the contract's order, then age and mask of every feature, then the tick's time. */
export function frameColumns({ features }: Contract): readonly FrameColumn[] {
  const vectors = Object.entries(features).flatMap(([key, feature]) =>
    isNumeric(feature) ? [valueColumn(key, feature)] : [],
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

/** The keys of features that are text. */
export function textFeatures({ features }: Contract): readonly string[] {
  return Object.keys(features).filter((key) => features[key]!.kind === 'text');
}

/** @throws {ConvertError} when there is text, for a format whose loaders take numbers and pictures only. */
export function refuseText(contract: Contract, format: string): void {
  const [key] = textFeatures(contract);
  if (key === undefined) return;
  throw new ConvertError(
    `Cannot write ${format}: feature "${key}" is text, which its loaders do not take. Leave the feature out, or ` +
      'write lerobot, rlds or webdataset.',
    { contractPath: ['features', key] },
  );
}

function valueColumn(key: string, feature: NumericFeature): FrameColumn {
  const { dtype, shape, names = null } = numberForm(feature);
  return {
    content: 'value',
    key,
    dtype,
    shape,
    names,
    isScalar: feature.kind === 'outcome',
    rows: (numbers, range) => toType(elementRows(numbers, key, range), dtype),
  };
}

/**
 * Numbers as a dataset stores them: integers are rounded to the nearest, halves up, as everything that is aligned
 * or transformed can lie beside the integer that was meant; what is not a number is 0.
 */
export function toType(values: Elements, dtype: ElementType): ColumnNumbers {
  const whole = (value: number) => (Number.isNaN(value) ? 0 : Math.round(value));
  switch (dtype) {
    case 'float64':
      return values instanceof Float64Array ? values : Float64Array.from(values);
    case 'float32':
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(whole(value)));
    case 'int16':
      return Int16Array.from(values, whole);
    case 'uint16':
      return values instanceof Uint16Array ? values : Uint16Array.from(values, whole);
    case 'uint8':
      return Uint8Array.from(Uint8ClampedArray.from(values, whole));
    case 'bool':
      return Uint8Array.from(values, (value) => Number(whole(value) !== 0));
    default:
      throw dtype satisfies never;
  }
}

const scalar = { shape: [1], names: null, isScalar: true } as const;

/** Seconds from the value's own time to the tick, of a window for each slot; NaN where there is no value. */
function ageColumn(key: string, feature: Feature): FrameColumn {
  const slots = slotCount(feature);
  return {
    ...scalar,
    ...(slots && { shape: [slots] }),
    content: 'age',
    key,
    dtype: 'float32',
    rows: ({ frames, features }, { from, to } = { from: 0, to: frames }) => {
      const { ageSecs, slotAgeSecs } = features.get(key)!;
      return Float32Array.from(cutRows(slotAgeSecs ?? ageSecs, { from, to, frames }));
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
    rows: ({ frames, features }, { from, to } = { from: 0, to: frames }) =>
      features.get(key)!.valid.subarray(from, to),
  };
}

/** Nanoseconds on the contract's clock. */
const tickTimeColumn: FrameColumn = {
  ...scalar,
  content: 'tickTime',
  key: '',
  dtype: 'int64',
  rows: ({ frames, tickTimes }, { from, to } = { from: 0, to: frames }) => tickTimes.subarray(from, to),
};
