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
  let block: Uint8Array = new Uint8Array();
  let blockStart = start;
  const view = async (offset: number, length: number) => {
    if (offset < blockStart || offset + length > blockStart + block.byteLength) {
      blockStart = offset;
      block = await file.read(offset, Math.min(Math.max(length, BLOCK_BYTES), end - offset));
    }
    return block.subarray(offset - blockStart, offset - blockStart + length);
  };
  for (let offset = start; offset < end; ) {
    if (offset + RECORD_PREFIX_BYTES > end) {
      throw new FormatFault(`the file breaks off inside a record at byte ${offset}`, offset);
    }
    const prefix = await view(offset, RECORD_PREFIX_BYTES);
    const opcode = prefix[0]!;
    const contentBytes = lengthAt(viewOf(prefix), 1);
    const contentStart = offset + RECORD_PREFIX_BYTES;
    if (contentStart + contentBytes > end) {
      throw new FormatFault(`the record at byte ${offset} reaches beyond the end, byte ${end}`, offset);
    }
    const hasPayload = opcode === OPCODE.chunk || opcode === OPCODE.attachment;
    const wanted = Math.min(contentBytes, hasPayload ? HEAD_BYTES : MAX_CONTENT_BYTES);
    yield { opcode, offset, contentBytes, content: await view(contentStart, wanted) };
    offset = contentStart + contentBytes;
  }
}
