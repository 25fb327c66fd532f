/** Element types, by the names that the contract and NumPy share. */
export type ArrayType = 'float32' | 'float64' | 'int64' | 'int16' | 'uint16' | 'uint8' | 'bool';

const ELEMENT_BYTES = { float32: 4, float64: 8, int64: 8, int16: 2, uint16: 2, uint8: 1, bool: 1 } as const;

/** An array of numbers as a sample stores it. */
export class SampleArray {
  readonly dtype: ArrayType;
  readonly shape: readonly number[];
  /** The elements, row-major and little-endian. */
  readonly data: Uint8Array;

  /** @throws {RangeError} when the bytes are not as many as type and shape ask for. */
  constructor(dtype: ArrayType, shape: readonly number[], data: Uint8Array) {
    const bytes = shape.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
    if (data.byteLength !== bytes) {
      throw new RangeError(`${dtype} [${shape.join(', ')}] takes ${bytes} bytes, found ${data.byteLength}`);
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }
}

/** Packs instants, nanoseconds, into an int64 array of one dimension. */
export function packTimes(times: readonly bigint[]): SampleArray {
  // Typed arrays are little-endian on every platform that Node runs on.
  return new SampleArray('int64', [times.length], new Uint8Array(BigInt64Array.from(times).buffer));
}
