import { type FileHandle, open } from 'node:fs/promises';
import { crc32c } from '../../schemas/crc32.ts';
import { DatasetError } from '../../schemas/errors.ts';
import type { Part } from './example.ts';

/**
 * TFRecord: each record is its length (u64), a checksum of the length, the bytes, a checksum of the bytes; all
 * little-endian (tensorflow/core/lib/io/record_writer.cc).
 */
const LENGTH_BYTES = 8;
const CHECKSUM_BYTES = 4;
const HEADER_BYTES = LENGTH_BYTES + CHECKSUM_BYTES;

/** Bytes that are written at once, and the buffers that the kernel takes at once (IOV_MAX). */
const WRITE_BYTES = 1 << 20;
const MAX_BUFFERS = 1000;

/** Checksums are rotated and shifted, so that the checksum of bytes that hold checksums is not trivial. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Writes records one after the other into a file of its own. */
export class TfRecordWriter {
  readonly #handle: FileHandle;
  #bytes = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(file: string): Promise<TfRecordWriter> {
    return new TfRecordWriter(await open(file, 'wx'));
  }

  /** Size of the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param parts of one record, in order; one at a time is in memory. @returns the record's length. */
  async write(parts: readonly Part[]): Promise<number> {
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeBigUInt64LE(BigInt(length));
    header.writeUInt32LE(masked(crc32c(header.subarray(0, LENGTH_BYTES))), LENGTH_BYTES);
    let crc = 0;
    let waiting: Uint8Array[] = [header];
    let bytes = 0;
    for (const part of parts) {
      const content = part instanceof Uint8Array ? part : await part.read();
      crc = crc32c(content, crc);
      waiting.push(content);
      bytes += content.byteLength;
      if (bytes < WRITE_BYTES && waiting.length < MAX_BUFFERS) continue;
      await this.#handle.writev(waiting);
      [waiting, bytes] = [[], 0];
    }
    const footer = Buffer.alloc(CHECKSUM_BYTES);
    footer.writeUInt32LE(masked(crc));
    await this.#handle.writev([...waiting, footer]);
    this.#bytes += HEADER_BYTES + length + CHECKSUM_BYTES;
    return length;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * The records of a file, one in memory at a time.
 *
 * @throws {DatasetError} at one that is cut off or does not match its checksums.
 */
export async function* readTfRecords(file: string): AsyncGenerator<Buffer> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  let at = 0;
  const take = async (length: number) => {
    const buffer = Buffer.alloc(length);
    await handle.read(buffer, 0, length, at);
    at += length;
    return buffer;
  };
  const fault = (record: number, found: string) =>
    new DatasetError(`Cannot read "${file}": record ${record} ${found}.`);
  for (let record = 0; at < size; record++) {
    if (at + HEADER_BYTES > size) throw fault(record, `is cut off at byte ${size}`);
    const header = await take(HEADER_BYTES);
    if (masked(crc32c(header.subarray(0, LENGTH_BYTES))) !== header.readUInt32LE(LENGTH_BYTES)) {
      throw fault(record, 'has a length that does not match its checksum');
    }
    const length = Number(header.readBigUInt64LE());
    if (at + length + CHECKSUM_BYTES > size) throw fault(record, `is cut off at byte ${size}`);
    const payload = await take(length);
    if (masked(crc32c(payload)) !== (await take(CHECKSUM_BYTES)).readUInt32LE()) {
      throw fault(record, 'does not match its checksum');
    }
    yield payload;
  }
}
