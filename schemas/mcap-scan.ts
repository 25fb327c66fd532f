import type { FileBytes } from './file-bytes.ts';
import { lengthAt, viewOf } from './mcap-decode.ts';
import { FormatFault, OPCODE, RECORD_PREFIX_BYTES } from './mcap-format.ts';

/** A record at the top level of a file. */
export interface FileRecord {
  readonly opcode: number;
  /** Where the record begins in the file. */
  readonly offset: number;
  readonly contentBytes: number;
  /** The whole content; of chunks and attachments, and of anything large, only its beginning. */
  readonly content: Uint8Array;
}

const BLOCK_BYTES = 1 << 18;
/** Enough of a chunk or an attachment for the fields before its payload. */
const HEAD_BYTES = 1 << 14;
/** Larger than any record whose whole content is wanted. */
const MAX_CONTENT_BYTES = 1 << 26;

/** Looks at a file here and there, mostly forwards, and reads it in blocks. */
export class FileWindow {
  readonly #file: FileBytes;
  #block: Uint8Array = new Uint8Array();
  #start = 0;

  constructor(file: FileBytes) {
    this.#file = file;
  }

  /** A view of the range, cut off at the end of the file. */
  async peek(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.#file.size);
    if (offset < this.#start || end > this.#start + this.#block.byteLength) {
      const blockEnd = Math.min(Math.max(end, offset + BLOCK_BYTES), this.#file.size);
      this.#block = await this.#file.read(offset, blockEnd - offset);
      this.#start = offset;
    }
    return this.#block.subarray(offset - this.#start, end - this.#start);
  }

  /**
   * The record at an offset.
   *
   * @throws {FormatFault} where it reaches beyond `end`.
   */
  async record(offset: number, end: number): Promise<FileRecord> {
    const prefix = await this.peek(offset, RECORD_PREFIX_BYTES);
    const contentStart = offset + RECORD_PREFIX_BYTES;
    if (contentStart > end)
      throw new FormatFault(`the file breaks off inside a record at byte ${offset}`, offset);
    const opcode = prefix[0]!;
    const contentBytes = lengthAt(viewOf(prefix), 1);
    if (contentStart + contentBytes > end) {
      throw new FormatFault(`the record at byte ${offset} reaches beyond the end, byte ${end}`, offset);
    }
    const hasPayload = opcode === OPCODE.chunk || opcode === OPCODE.attachment;
    const wanted = Math.min(contentBytes, hasPayload ? HEAD_BYTES : MAX_CONTENT_BYTES);
    return { opcode, offset, contentBytes, content: await this.peek(contentStart, wanted) };
  }
}

/** Where a record ends. */
export function endOfRecord({ offset, contentBytes }: FileRecord): number {
  return offset + RECORD_PREFIX_BYTES + contentBytes;
}

/**
 * Walks the top-level records of a file from an offset on, reading payloads no further than needed.
 *
 * @throws {FormatFault} where a record reaches beyond `end`.
 */
export async function* fileRecords(file: FileBytes, start: number, end: number): AsyncGenerator<FileRecord> {
  const window = new FileWindow(file);
  for (let offset = start; offset < end; ) {
    const record = await window.record(offset, end);
    yield record;
    offset = endOfRecord(record);
  }
}
