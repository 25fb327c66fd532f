import { Packr, Unpackr } from 'msgpackr';
import { z } from '../../schemas/validation.ts';
import { type ArrayType, SampleArray } from './sample-array.ts';

const array = z.instanceof(SampleArray);
const arrays = z.record(z.string(), array);
const byRole = z.strictObject({ observation: array, action: array });

const recordSchema = z.strictObject({
  /** Of vectors, by feature key: observations [observationSteps, ...shape], actions [horizon, ...shape]. */
  values: arrays,
  /** Of texts, by feature key: one for each step. */
  texts: z.record(z.string(), z.array(z.string())).default({}),
  /** Of every feature, float32 [steps], of a window [steps, slots]: tick minus the value's time, seconds; NaN where there was none. */
  age: arrays,
  /** Of every feature, bool [steps]: whether the value lies within the feature's tolerance. */
  valid: arrays,
  /** bool [steps]: whether the step lies outside the episode and repeats its edge frame. */
  padded: byRole,
  /** int64 [steps]: tick times, nanoseconds on the contract's clock. */
  time: byRole,
  /** Of every microphone, int64 [n, 2]: samples, half-open, that are silence because nothing was recorded there. */
  silences: arrays.optional(),
  task: z.string(),
  provenance: z.strictObject({
    episode: z.string(),
    /** Digest of the recording. */
    digest: z.string(),
    /** The anchor's position in the episode. */
    frame: z.int().nonnegative(),
    /** Digest of the contract. */
    contract: z.string(),
    /** Of the program that made the sample. */
    version: z.string(),
  }),
});

/** Everything of one training sample but its pictures. */
export type SampleRecord = Readonly<z.infer<typeof recordSchema>>;
export type Provenance = SampleRecord['provenance'];

/** NumPy's array protocol strings. */
const CODES = {
  ...{ float32: '<f4', float64: '<f8', int64: '<i8' },
  ...{ int16: '<i2', uint16: '<u2', uint8: '|u1', bool: '|b1' },
} as const;
const TYPES: ReadonlyMap<unknown, ArrayType> = new Map(
  (Object.keys(CODES) as ArrayType[]).map((type) => [CODES[type], type]),
);
// msgpack_numpy looks its keys up as byte strings, so an array is a map with binary keys.
const [ND, TYPE, SHAPE, DATA] = ['nd', 'type', 'shape', 'data'].map((key) => Buffer.from(key));

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

/** Encodes a sample in msgpack, its arrays as Python's `msgpack_numpy` has them. */
export function encodeSample(record: SampleRecord): Uint8Array {
  return packr.pack(toPacked(record));
}

function toPacked(value: unknown): unknown {
  if (value instanceof SampleArray) {
    const { dtype, shape, data } = value;
    return new Map<Buffer, unknown>([
      [ND!, true],
      [TYPE!, CODES[dtype]],
      [SHAPE!, shape],
      [DATA!, data],
    ]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toPacked(each)]));
}

/** @throws {Error} when the bytes are no msgpack, or not a sample. */
export function decodeSample(bytes: Uint8Array): SampleRecord {
  return recordSchema.parse(fromPacked(unpackr.unpack(bytes)));
}

function fromPacked(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const fields = Object.fromEntries(value.entries().map(([key, each]) => [String(key), fromPacked(each)]));
  if (fields.nd !== true) return fields;
  const type = TYPES.get(fields.type);
  const shape = z.array(z.int()).safeParse(fields.shape);
  if (!type || !shape.success || !(fields.data instanceof Uint8Array)) {
    throw new RangeError(`an array is not of type, shape and data, but of "${fields.type}"`);
  }
  return new SampleArray(type, shape.data, fields.data);
}
