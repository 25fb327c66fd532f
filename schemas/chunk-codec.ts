import { promisify } from 'node:util';
import { constants, createZstdCompress, zstdDecompress } from 'node:zlib';
import { lz4Frame, unlz4Frame } from './lz4-frame.ts';
import { FormatFault } from './mcap-format.ts';

export type Compression = 'none' | 'lz4' | 'zstd';

const unzstd = promisify(zstdDecompress);

/** @throws {RangeError} for a name that is none of ours. */
export function compressionOf(name: string): Compression {
  if (name === '') return 'none';
  if (name === 'lz4' || name === 'zstd') return name;
  throw new RangeError(`Compression "${name}" is not one of "", "lz4", "zstd".`);
}

/** A chunk's records in the form in which they are stored. */
export interface StoredRecords {
  /** The name that the chunk record carries. */
  readonly compression: string;
  /** Behind each other. */
  readonly parts: readonly Uint8Array[];
  /** Gives the memory of the parts back; to be called when they are not needed any more, if ever. */
  free?(): void;
}

export function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Compression that saves less than this share is not worth undoing at every reading. */
const MIN_SAVING = 0.02;

/**
 * Compresses a chunk's records on a thread of the pool; the bytes must not change meanwhile. What does not
 * become smaller, such as noise of a camera under lz4, is stored as it is.
 *
 * @param level zstd level; lz4 has one speed.
 */
export async function compress(
  compression: Compression,
  bytes: Uint8Array,
  level: number,
): Promise<StoredRecords> {
  const parts = await encode(compression, bytes, level);
  const own = parts.filter(({ buffer }) => buffer !== bytes.buffer);
  if (bytesOf(parts) < bytes.byteLength * (1 - MIN_SAVING)) {
    return { compression, parts, free: () => own.forEach(release) };
  }
  own.forEach(release);
  return { compression: '', parts: [bytes] };
}

/**
 * Frees memory of which nothing is in use any more. Left to the collector, buffers of this size make it run for
 * nothing else: a fifth of a writer's time.
 *
 * @param bytes have a buffer of their own, unless they are a small part of Node's pool of small ones.
 */
export function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

async function encode(
  compression: Compression,
  bytes: Uint8Array,
  level: number,
): Promise<readonly Uint8Array[]> {
  switch (compression) {
    case 'none':
      return [bytes];
    case 'lz4':
      return lz4Frame(bytes);
    case 'zstd':
      return [await zstd(bytes, level)];
    default:
      throw compression satisfies never;
  }
}

/**
 * One frame in one step. The library's own zstdCompress() takes the input first and asks for the end then,
 * which costs a copy of both and a third of the time.
 */
function zstd(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stream = createZstdCompress({
      flush: constants.ZSTD_e_end,
      // Room for the worst case (ZSTD_compressBound), so that there is one piece of output.
      chunkSize: bytes.byteLength + (bytes.byteLength >> 8) + 1024,
      pledgedSrcSize: bytes.byteLength,
      params: { [constants.ZSTD_c_compressionLevel]: level },
    });
    stream.once('error', reject);
    stream.once('data', (frame: Buffer) => {
      resolve(frame);
      stream.destroy();
    });
    stream.write(bytes);
  });
}

/** Beyond this a stated size is taken for damage rather than allocated. */
export const MAX_CHUNK_BYTES = 2 ** 30;
/** One output step of the decompressor; larger chunks are put together from several. */
const MAX_STEP_BYTES = 2 ** 26;
/** The smallest buffer that zlib takes. */
const SPARE_BYTES = 64;

/**
 * Decompresses a chunk's records on a thread of the pool.
 *
 * @throws {FormatFault} when the compression is unknown, the bytes do not decompress, or not to the stated
 * size; `offset` is 0, the caller knows the place.
 */
export async function decompress(
  compression: string,
  bytes: Uint8Array,
  uncompressedBytes: number,
): Promise<Uint8Array> {
  if (uncompressedBytes > MAX_CHUNK_BYTES) {
    throw new FormatFault(`its stated size of ${uncompressedBytes} bytes is beyond ${MAX_CHUNK_BYTES}`, 0);
  }
  const records = await decode(compression, bytes, uncompressedBytes).catch((cause: Error) => {
    throw cause instanceof FormatFault
      ? cause
      : new FormatFault(`${compression} cannot decompress it: ${cause.message}`, 0, { cause });
  });
  if (records.byteLength !== uncompressedBytes) {
    throw new FormatFault(
      `its records have ${records.byteLength} bytes where its header says ${uncompressedBytes}`,
      0,
    );
  }
  return records;
}

async function decode(compression: string, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  switch (compression) {
    case '':
      return bytes;
    case 'lz4':
      return bytes.byteLength === 0 ? bytes : unlz4Frame(bytes);
    case 'zstd':
      return bytes.byteLength === 0
        ? bytes
        : unzstd(bytes, {
            // A buffer that is filled to the last byte would make zlib ask for more, with another buffer.
            chunkSize: Math.min(size, MAX_STEP_BYTES) + SPARE_BYTES,
            maxOutputLength: size + SPARE_BYTES,
          });
    default:
      throw new FormatFault(`its compression "${compression}" is not one of "", "lz4", "zstd"`, 0);
  }
}

/**
 * What the beginning of a cut-off zstd frame still decompresses to: whole blocks of up to 128 KiB.
 * Empty for lz4, whose decoder gives nothing back before the end.
 */
export async function decompressPrefix(
  compression: string,
  bytes: Uint8Array,
  uncompressedBytes: number,
): Promise<Uint8Array> {
  if (compression === '') return bytes;
  if (compression !== 'zstd' || uncompressedBytes > MAX_CHUNK_BYTES) return new Uint8Array();
  const options = { finishFlush: constants.ZSTD_e_flush, maxOutputLength: uncompressedBytes + SPARE_BYTES };
  return unzstd(bytes, options).catch(() => new Uint8Array());
}
