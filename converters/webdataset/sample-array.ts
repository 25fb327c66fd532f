/** Element types, by the names that the contract and NumPy share. */
export type ArrayType = 'float32' | 'float64' | 'int64' | 'uint8' | 'bool';

const ELEMENT_BYTES = { float32: 4, float64: 8, int64: 8, uint8: 1, bool: 1 } as const;

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

/** Packs numbers that the type can hold; true is 1. */
export function packArray(dtype: ArrayType, shape: readonly number[], from: ArrayLike<number>): SampleArray {
  return new SampleArray(dtype, shape, bytesOf(toTyped(dtype, from)));
}

/** Packs instants, nanoseconds, into an int64 array of one dimension. */
export function packTimes(times: readonly bigint[]): SampleArray {
  return new SampleArray('int64', [times.length], bytesOf(BigInt64Array.from(times)));
}

// Typed arrays are little-endian on every platform that Node runs on.
function toTyped(dtype: ArrayType, from: ArrayLike<number>): ArrayBufferView {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(from);
    case 'float64':
      return Float64Array.from(from);
    case 'int64':
      return BigInt64Array.from(Array.from(from, BigInt));
    case 'uint8':
    case 'bool':
      return Uint8Array.from(from);
    default:
      return dtype satisfies never;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
