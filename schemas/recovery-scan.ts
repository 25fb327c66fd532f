import { decompressPrefix, MAX_CHUNK_BYTES } from './chunk-codec.ts';
import { unpackChunk } from './chunk-reader.ts';
import type { FileBytes } from './file-bytes.ts';
import {
  decodeAttachmentHeader,
  decodeChannel,
  decodeChunkHeader,
  decodeDataEnd,
  decodeMessageIndex,
  decodeMetadata,
  decodeSchema,
  lengthAt,
  type RawRecord,
  viewOf,
} from './mcap-decode.ts';
import {
  type AttachmentIndex,
  type ChunkHeader,
  FormatFault,
  MAGIC,
  MESSAGE_FIELDS_BYTES,
  OPCODE,
  RECORD_PREFIX_BYTES,
} from './mcap-format.ts';
import { endOfRecord, type FileRecord, FileWindow } from './mcap-scan.ts';

/** A half-open range of bytes of the input. */
export interface Place {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A range that could not be read as records. */
export interface Damage extends Place {
  readonly reason: string;
}

/** What a damaged file still holds, in its order. */
export type Piece =
  /** A schema or channel record that stands by itself: no CRC covers it. */
  | { readonly kind: 'definition'; readonly record: RawRecord }
  /** A chunk that decompresses and matches its CRC. */
  | {
      readonly kind: 'chunk';
      readonly place: Place;
      readonly header: ChunkHeader;
      readonly compressed: Uint8Array;
      readonly records: Uint8Array;
    }
  /** Records that stand bare, or the beginning of a chunk that the end of the file cut off. */
  | { readonly kind: 'bare'; readonly records: Uint8Array; readonly compression: string }
  | {
      readonly kind: 'attachment';
      readonly place: Place;
      readonly header: Omit<AttachmentIndex, 'offset' | 'length'>;
      readonly dataOffset: number;
    }
  | { readonly kind: 'metadata'; readonly name: string; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: 'damage'; readonly damage: Damage; readonly isOneChunk: boolean }
  /** What the message index of a damaged chunk says about it. */
  | { readonly kind: 'lost'; readonly channelId: number; readonly logTimes: readonly bigint[] }
  /** The data section ends as it should; `crc` is that of everything before `offset`, 0 when not available. */
  | { readonly kind: 'end'; readonly offset: number; readonly crc: number };

/** Records that are gathered into one piece at most. */
const RUN_BYTES = 1 << 20;

/** Finds everything readable in a file, however damaged; holds one chunk at a time. */
export async function* pieces(file: FileBytes): AsyncGenerator<Piece> {
  const scan = new RecoveryScan(file);
  yield* scan.run();
}

class RecoveryScan {
  readonly #file: FileBytes;
  readonly #window: FileWindow;
  /** Whether messages are in chunks; bare ones are then not looked for inside of damage. */
  #hasChunks = false;
  /** Whether bare messages are what they look like, rather than the inside of a chunk that lost its header. */
  #isBareTrusted = true;
  /** Whether message index records here belong to a chunk that was given out. */
  #isIndexKnown = false;

  constructor(file: FileBytes) {
    this.#file = file;
    this.#window = new FileWindow(file);
  }

  async *run(): AsyncGenerator<Piece> {
    const { size } = this.#file;
    const magic = await this.#window.peek(0, MAGIC.byteLength);
    let at = Buffer.compare(magic, MAGIC) === 0 ? MAGIC.byteLength : 0;
    while (at < size) {
      try {
        const record = await this.#window.record(at, size);
        if (record.opcode === OPCODE.dataEnd && record.contentBytes === 4) {
          yield { kind: 'end', offset: at, crc: decodeDataEnd(record).dataSectionCrc };
          return;
        }
        if (record.opcode === OPCODE.message && this.#isBareTrusted) {
          const end = await this.#endOfRun(record);
          yield { kind: 'bare', records: await this.#file.read(at, end - at), compression: '' };
          at = end;
          continue;
        }
        const piece = await this.#piece(record);
        if (piece) yield piece;
        at = endOfRecord(record);
      } catch (fault) {
        if (!(fault instanceof FormatFault)) throw fault;
        const prefix = await this.#cutChunk(at);
        if (prefix) yield prefix;
        const endOffset = prefix ? size : await this.#resync(at);
        const damage = { startOffset: at, endOffset, reason: fault.message };
        yield { kind: 'damage', damage, isOneChunk: await this.#isOneChunk(damage) };
        this.#isIndexKnown = false;
        this.#isBareTrusted = !this.#hasChunks;
        at = endOffset;
      }
    }
  }

  /** @throws {FormatFault} when the record is not what its opcode says. */
  async #piece(record: FileRecord): Promise<Piece | undefined> {
    const { opcode, offset, contentBytes } = record;
    const place = { startOffset: offset, endOffset: endOfRecord(record) };
    const isIndexKnown = this.#isIndexKnown;
    this.#isIndexKnown = opcode === OPCODE.messageIndex && isIndexKnown;
    switch (opcode) {
      case OPCODE.chunk: {
        this.#hasChunks = this.#isBareTrusted = true;
        const { fieldBytes, ...header } = decodeChunkHeader(record);
        if (contentBytes > MAX_CHUNK_BYTES)
          throw new FormatFault(`the chunk at byte ${offset} is too large`, offset);
        const bytes = await this.#file.read(offset, RECORD_PREFIX_BYTES + contentBytes);
        const records = await unpackChunk(bytes, offset);
        const start = RECORD_PREFIX_BYTES + fieldBytes;
        this.#isIndexKnown = true;
        return {
          kind: 'chunk',
          place,
          header,
          records,
          compressed: bytes.subarray(start, start + header.compressedBytes),
        };
      }
      case OPCODE.messageIndex: {
        if (isIndexKnown) return undefined; // it is built anew
        const { channelId, entries } = decodeMessageIndex(record);
        const view = viewOf(entries);
        const count = Math.floor(entries.byteLength / 16);
        const logTimes = Array.from({ length: count }, (_, i) => view.getBigUint64(16 * i, true));
        return { kind: 'lost', channelId, logTimes };
      }
      case OPCODE.schema:
        decodeSchema(record);
        return { kind: 'definition', record: { opcode, offset, content: new Uint8Array(record.content) } };
      case OPCODE.channel:
        decodeChannel(record);
        return { kind: 'definition', record: { opcode, offset, content: new Uint8Array(record.content) } };
      case OPCODE.metadata:
        return { kind: 'metadata', ...decodeMetadata(record) };
      case OPCODE.attachment: {
        const { fieldBytes, ...header } = decodeAttachmentHeader(record);
        if (fieldBytes + header.dataBytes + 4 > contentBytes) {
          throw new FormatFault(`the attachment at byte ${offset} reaches beyond its record`, offset);
        }
        return { kind: 'attachment', place, header, dataOffset: offset + RECORD_PREFIX_BYTES + fieldBytes };
      }
      case OPCODE.header:
        return undefined;
      default:
        if (opcode >= 0x80) return undefined; // private records of other programs
        throw new FormatFault(
          `the record at byte ${offset} has opcode ${opcode}, which nothing has here`,
          offset,
        );
    }
  }

  /** Where the bare records that begin here end, for one piece. */
  async #endOfRun(first: FileRecord): Promise<number> {
    let end = first.offset;
    for (let record = first; ; ) {
      if (record.contentBytes < MESSAGE_FIELDS_BYTES) break;
      end = endOfRecord(record);
      if (end - first.offset >= RUN_BYTES) break;
      const next = await this.#window.record(end, this.#file.size).catch(() => undefined);
      if (next?.opcode !== OPCODE.message) break;
      record = next;
    }
    if (end === first.offset) throw new FormatFault(`the message at byte ${end} is too short`, end);
    return end;
  }

  /** What a chunk that reaches beyond the end of the file still holds; both its lengths must agree on that. */
  async #cutChunk(at: number): Promise<Piece | undefined> {
    const head = await this.#window.peek(at, 1 << 12);
    if (head[0] !== OPCODE.chunk || head.byteLength < RECORD_PREFIX_BYTES) return undefined;
    try {
      const content = head.subarray(RECORD_PREFIX_BYTES);
      const { fieldBytes, ...header } = decodeChunkHeader({ opcode: OPCODE.chunk, offset: at, content });
      const contentBytes = lengthAt(viewOf(head), 1);
      const isCut = at + RECORD_PREFIX_BYTES + contentBytes > this.#file.size;
      if (!isCut || fieldBytes + header.compressedBytes !== contentBytes) return undefined;
      const start = at + RECORD_PREFIX_BYTES + fieldBytes;
      const compressed = await this.#file.read(start, this.#file.size - start);
      const { compression, uncompressedBytes } = header;
      return {
        kind: 'bare',
        records: await decompressPrefix(compression, compressed, uncompressedBytes),
        compression,
      };
    } catch (fault) {
      if (fault instanceof FormatFault) return undefined; // the end cut off its header
      throw fault;
    }
  }

  async #isOneChunk({ startOffset, endOffset }: Place): Promise<boolean> {
    const record = await this.#window.record(startOffset, this.#file.size).catch(() => undefined);
    return record?.opcode === OPCODE.chunk && endOfRecord(record) === endOffset;
  }

  /** Where, behind a damaged place, records begin again; the end of the file when they do not. */
  async #resync(from: number): Promise<number> {
    // A damaged chunk whose length is right: its neighbour tells more than any search inside of it.
    const damaged = await this.#window.record(from, this.#file.size).catch(() => undefined);
    if (damaged && (await this.#isRecord(endOfRecord(damaged)))) return endOfRecord(damaged);
    for (let at = from + 1; at < this.#file.size; ) {
      const block = await this.#file.read(at, Math.min(SEARCH_BYTES, this.#file.size - at));
      for (let i = 0; i < block.byteLength; i++) {
        if (mayBegin(block, i) && (await this.#isRecord(at + i))) return at + i;
      }
      at += block.byteLength;
    }
    return this.#file.size;
  }

  /** Whether what is at an offset can hardly be anything but a record. */
  async #isRecord(offset: number): Promise<boolean> {
    const record = await this.#window.record(offset, this.#file.size).catch(() => undefined);
    if (!record) return false;
    try {
      switch (record.opcode) {
        case OPCODE.chunk: {
          const { fieldBytes, compressedBytes, compression, startTime, endTime } = decodeChunkHeader(record);
          const isConsistent = fieldBytes + compressedBytes === record.contentBytes && startTime <= endTime;
          return isConsistent && ['', 'lz4', 'zstd'].includes(compression);
        }
        case OPCODE.messageIndex:
          return decodeMessageIndex(record).entries.byteLength === record.contentBytes - 6;
        case OPCODE.metadata:
          return decodeMetadata(record).name !== '' && (await this.#hasNeighbour(record));
        case OPCODE.attachment: {
          const { fieldBytes, dataBytes } = decodeAttachmentHeader(record);
          return fieldBytes + dataBytes + 4 === record.contentBytes;
        }
        case OPCODE.schema:
          return decodeSchema(record).id !== 0 && (await this.#hasNeighbour(record));
        case OPCODE.channel:
          return decodeChannel(record).topic !== '' && (await this.#hasNeighbour(record));
        case OPCODE.message: {
          const isMessage = !this.#hasChunks && record.contentBytes >= MESSAGE_FIELDS_BYTES;
          return isMessage && (await this.#hasNeighbour(record));
        }
        case OPCODE.dataEnd:
          return record.contentBytes === 4 && (await this.#hasNeighbour(record));
        default:
          return false;
      }
    } catch (fault) {
      if (fault instanceof FormatFault) return false;
      throw fault;
    }
  }

  /** Whether a record that says little about itself is followed by another, or by the end. */
  async #hasNeighbour(record: FileRecord): Promise<boolean> {
    const end = endOfRecord(record);
    if (end === this.#file.size) return true;
    const next = await this.#window.record(end, this.#file.size).catch(() => undefined);
    return next !== undefined && next.opcode >= OPCODE.header && next.opcode <= OPCODE.dataEnd;
  }
}

const SEARCH_BYTES = 1 << 20;
/** Opcodes of records that the data section may hold behind its header. */
const SEARCHED = new Set<number>([
  OPCODE.schema,
  OPCODE.channel,
  OPCODE.message,
  OPCODE.chunk,
  OPCODE.messageIndex,
  OPCODE.attachment,
  OPCODE.metadata,
  OPCODE.dataEnd,
]);

/** Quick look at one byte of many: an opcode, then a length below 2^40. */
function mayBegin(block: Uint8Array, i: number): boolean {
  if (!SEARCHED.has(block[i]!)) return false;
  // Behind the block's end nothing is known; the thorough look decides.
  return !block[i + 6] && !block[i + 7] && !block[i + 8];
}
