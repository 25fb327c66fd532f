import { DatasetError } from '../../schemas/errors.ts';
import { z } from '../../schemas/validation.ts';
import type { ColumnNumbers, ElementType } from '../frame-columns.ts';
import { packBytes, unpackBytes, ZSTD_LEVEL } from '../prepared/pixel-codec.ts';
import type { ZarrSink, ZarrSource } from './zarr-store.ts';

/** NumPy's array protocol strings, the bytes of an element, and what a chunk that is not there would hold. */
const DTYPES = {
  float32: '<f4',
  float64: '<f8',
  int64: '<i8',
  int16: '<i2',
  uint16: '<u2',
  uint8: '|u1',
  bool: '|b1',
} as const;
const ELEMENT_BYTES = { '<f4': 4, '<f8': 8, '<i8': 8, '<i2': 2, '<u2': 2, '|u1': 1, '|b1': 1 } as const;
const FILL_VALUES = {
  '<f4': 'NaN',
  '<f8': 'NaN',
  '<i8': 0,
  '<i2': 0,
  '<u2': 0,
  '|u1': 0,
  '|b1': false,
} as const;

const metadataSchema = z.object({
  zarr_format: z.literal(2),
  shape: z.array(z.int().nonnegative()).min(1),
  chunks: z.array(z.int().positive()).min(1),
  dtype: z.enum(Object.values(DTYPES)),
  order: z.literal('C'),
  compressor: z.object({ id: z.literal('zstd') }).nullable(),
  filters: z.null(),
});

/** The content of `.zarray` (Zarr storage specification 2). */
export type ArrayMetadata = z.infer<typeof metadataSchema>;

export interface ArrayOptions {
  /** Path in the hierarchy, such as `data/action`. */
  readonly path: string;
  readonly dtype: ElementType;
  /** Shape of one row: the array's without its first dimension. */
  readonly rowShape: readonly number[];
  readonly rowsPerChunk: number;
}

/** Writes one array whose first dimension grows; one chunk is held in memory. */
export class ZarrArrayWriter {
  readonly path: string;
  readonly #sink: ZarrSink;
  readonly #options: ArrayOptions;
  readonly #rowBytes: number;
  readonly #chunk: Uint8Array;
  /** Bytes of the chunk that are in use. */
  #filled = 0;
  /** Chunks written. */
  #chunks = 0;
  #rows = 0;

  constructor(sink: ZarrSink, options: ArrayOptions) {
    const { path, dtype, rowShape, rowsPerChunk } = options;
    this.path = path;
    this.#sink = sink;
    this.#options = options;
    this.#rowBytes = rowShape.reduce((product, n) => product * n, ELEMENT_BYTES[DTYPES[dtype]]);
    this.#chunk = new Uint8Array(this.#rowBytes * rowsPerChunk);
  }

  /** @param rows whole rows; copied. */
  async append({ buffer, byteOffset, byteLength }: ArrayBufferView): Promise<void> {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#chunk.length - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#chunk.length) await this.#writeChunk();
    }
    this.#rows += bytes.length / this.#rowBytes;
  }

  /** @param packed the one row of the next chunk, as {@link packBytes} has it; for chunks of one row. */
  async appendPacked(packed: Uint8Array): Promise<void> {
    await this.#setChunk(packed);
    this.#rows++;
  }

  /** Writes what is left and the description. The last chunk is as large as all others, zeros at its end. */
  async close(): Promise<void> {
    if (this.#filled > 0) await this.#writeChunk();
    const { dtype, rowShape, rowsPerChunk } = this.#options;
    const code = DTYPES[dtype];
    await this.#sink.set(
      `${this.path}/.zarray`,
      jsonBytes({
        zarr_format: 2,
        shape: [this.#rows, ...rowShape],
        chunks: [rowsPerChunk, ...rowShape],
        dtype: code,
        order: 'C',
        fill_value: FILL_VALUES[code],
        compressor: { id: 'zstd', level: ZSTD_LEVEL },
        filters: null,
      }),
    );
  }

  async #writeChunk(): Promise<void> {
    this.#chunk.fill(0, this.#filled);
    this.#filled = 0;
    await this.#setChunk(await packBytes(this.#chunk));
  }

  async #setChunk(packed: Uint8Array): Promise<void> {
    await this.#sink.set(chunkKey(this.path, this.#chunks++, this.#options.rowShape.length), packed);
  }
}

/** Keys of chunks name their place in every dimension; arrays are divided along the first only. */
export function chunkKey(path: string, index: number, rowDimensions: number): string {
  return `${path}/${[index, ...new Array<number>(rowDimensions).fill(0)].join('.')}`;
}

export function jsonBytes(value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 4)}\n`);
}

/** An array that was read back. */
export interface StoredArray {
  readonly metadata: ArrayMetadata;
  /** Keys of its chunks, in order. */
  readonly chunkKeys: readonly string[];
}

/** @throws {DatasetError} when the description is of no array that a reader takes. */
export async function openArray(source: ZarrSource, path: string): Promise<StoredArray> {
  try {
    const text = Buffer.from(await source.get(`${path}/.zarray`)).toString();
    const metadata = metadataSchema.parse(JSON.parse(text));
    const { shape, chunks } = metadata;
    if (chunks.length !== shape.length || chunks.slice(1).some((n, i) => n !== shape[i + 1])) {
      throw new RangeError(`chunks [${chunks}] divide shape [${shape}] along more than the first dimension`);
    }
    const count = Math.ceil(shape[0]! / chunks[0]!);
    const chunkKeys = Array.from({ length: count }, (_, i) => chunkKey(path, i, shape.length - 1));
    return { metadata, chunkKeys };
  } catch (cause) {
    throw new DatasetError(`${path}/.zarray: ${(cause as Error).message}.`, { cause });
  }
}

/** The bytes of one chunk. @throws {DatasetError} when they are missing, damaged, or not as many as they must be. */
export async function readChunk(
  source: ZarrSource,
  key: string,
  { metadata }: StoredArray,
): Promise<Uint8Array> {
  const { chunks, dtype, compressor } = metadata;
  const wanted = chunks.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
  try {
    if (!source.keys.has(key)) throw new RangeError('it is missing');
    const stored = await source.get(key);
    const bytes = compressor ? await unpackBytes(stored) : stored;
    if (bytes.byteLength !== wanted) throw new RangeError(`it has ${bytes.byteLength} bytes, not ${wanted}`);
    return bytes;
  } catch (cause) {
    throw new DatasetError(`${key}: ${(cause as Error).message}.`, { cause });
  }
}

/** Rows of an array, from one on and up to another; all of them if absent. */
export async function readRows(
  source: ZarrSource,
  path: string,
  { from = 0, to }: { readonly from?: number; readonly to?: number } = {},
): Promise<ColumnNumbers> {
  const array = await openArray(source, path);
  const { shape, chunks, dtype } = array.metadata;
  const end = to ?? shape[0]!;
  const rowBytes = shape.slice(1).reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
  const bytes = new Uint8Array(Math.max(0, end - from) * rowBytes);
  for (let row = from; row < end; ) {
    const index = Math.floor(row / chunks[0]!);
    const first = index * chunks[0]!;
    const last = Math.min(end, first + chunks[0]!);
    const chunk = await readChunk(source, array.chunkKeys[index]!, array);
    bytes.set(chunk.subarray((row - first) * rowBytes, (last - first) * rowBytes), (row - from) * rowBytes);
    row = last;
  }
  switch (dtype) {
    case '<f4':
      return new Float32Array(bytes.buffer);
    case '<f8':
      return new Float64Array(bytes.buffer);
    case '<i8':
      return new BigInt64Array(bytes.buffer);
    case '<i2':
      return new Int16Array(bytes.buffer);
    case '<u2':
      return new Uint16Array(bytes.buffer);
    case '|u1':
    case '|b1':
      return bytes;
    default:
      throw dtype satisfies never;
  }
}
