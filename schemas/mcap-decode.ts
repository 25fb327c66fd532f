import {
  type AttachmentIndex,
  type ChannelRecord,
  type ChunkHeader,
  type ChunkIndex,
  type Footer,
  FormatFault,
  type MetadataIndex,
  RECORD_PREFIX_BYTES,
  type SchemaRecord,
  type Statistics,
  type SummaryOffset,
} from './mcap-format.ts';

const text = new TextDecoder();

/** One record inside a block of bytes; `content` is a view. Extra bytes behind the known fields are legal. */
export interface RawRecord {
  readonly opcode: number;
  /** Of the record's first byte, counted from the block's first byte plus its base. */
  readonly offset: number;
  readonly content: Uint8Array;
}

/**
 * Walks the records of a block.
 *
 * @param base offset of the block's first byte, for {@link RawRecord.offset} and faults.
 * @throws {FormatFault} where a record does not fit into the block.
 */
export function* records(block: Uint8Array, base = 0): Generator<RawRecord> {
  const view = viewOf(block);
  let at = 0;
  while (at < block.byteLength) {
    const start = at + RECORD_PREFIX_BYTES;
    const end = start <= block.byteLength ? start + lengthAt(view, at + 1) : Number.POSITIVE_INFINITY;
    if (end > block.byteLength) {
      throw new FormatFault(`the record at byte ${base + at} reaches beyond its section's end`, base + at);
    }
    yield { opcode: block[at]!, offset: base + at, content: block.subarray(start, end) };
    at = end;
  }
}

/** A uint64 that counts bytes or things; beyond 2^53 it comes out inexact, which no check lets pass. */
export function lengthAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function decodeHeader({ content, offset }: RawRecord): { profile: string; library: string } {
  const fields = new Fields(content, offset);
  return { profile: fields.string(), library: fields.string() };
}

export function decodeSchema({ content, offset }: RawRecord): SchemaRecord {
  const fields = new Fields(content, offset);
  return {
    id: fields.u16(),
    name: fields.string(),
    encoding: fields.string(),
    data: new Uint8Array(fields.bytes(fields.u32())), // a copy: it outlives the chunk it came from
  };
}

export function decodeChannel({ content, offset }: RawRecord): ChannelRecord {
  const fields = new Fields(content, offset);
  return {
    id: fields.u16(),
    schemaId: fields.u16(),
    topic: fields.string(),
    messageEncoding: fields.string(),
    metadata: fields.stringMap(),
  };
}

/** @param content may end before the chunk's records do; `fieldBytes` says where those begin. */
export function decodeChunkHeader({ content, offset }: RawRecord): ChunkHeader & { fieldBytes: number } {
  const fields = new Fields(content, offset);
  return {
    startTime: fields.u64(),
    endTime: fields.u64(),
    uncompressedBytes: fields.length(),
    crc: fields.u32(),
    compression: fields.string(),
    compressedBytes: fields.length(),
    fieldBytes: fields.at,
  };
}

/** `entries`: log time and offset in the uncompressed chunk of each message, two uint64, a view. */
export function decodeMessageIndex({ content, offset }: RawRecord): {
  channelId: number;
  entries: Uint8Array;
} {
  const fields = new Fields(content, offset);
  return { channelId: fields.u16(), entries: fields.bytes(fields.u32()) };
}

export function decodeChunkIndex({ content, offset }: RawRecord): ChunkIndex {
  const fields = new Fields(content, offset);
  return {
    startTime: fields.u64(),
    endTime: fields.u64(),
    offset: fields.length(),
    length: fields.length(),
    messageIndexOffsets: fields.idMap(),
    messageIndexBytes: fields.length(),
    compression: fields.string(),
    compressedBytes: fields.length(),
    uncompressedBytes: fields.length(),
  };
}

/** The fields before an attachment's data; `fieldBytes` says where that begins. */
export function decodeAttachmentHeader({
  content,
  offset,
}: RawRecord): Omit<AttachmentIndex, 'offset' | 'length'> & { fieldBytes: number } {
  const fields = new Fields(content, offset);
  return {
    logTime: fields.u64(),
    createTime: fields.u64(),
    name: fields.string(),
    mediaType: fields.string(),
    dataBytes: fields.length(),
    fieldBytes: fields.at,
  };
}

export function decodeAttachmentIndex({ content, offset }: RawRecord): AttachmentIndex {
  const fields = new Fields(content, offset);
  return {
    offset: fields.length(),
    length: fields.length(),
    logTime: fields.u64(),
    createTime: fields.u64(),
    dataBytes: fields.length(),
    name: fields.string(),
    mediaType: fields.string(),
  };
}

export function decodeMetadata({ content, offset }: RawRecord): {
  name: string;
  fields: ReadonlyMap<string, string>;
} {
  const fields = new Fields(content, offset);
  return { name: fields.string(), fields: fields.stringMap() };
}

export function decodeMetadataIndex({ content, offset }: RawRecord): MetadataIndex {
  const fields = new Fields(content, offset);
  return { offset: fields.length(), length: fields.length(), name: fields.string() };
}

export function decodeStatistics({ content, offset }: RawRecord): Statistics {
  const fields = new Fields(content, offset);
  return {
    messageCount: fields.length(),
    schemaCount: fields.u16(),
    channelCount: fields.u32(),
    attachmentCount: fields.u32(),
    metadataCount: fields.u32(),
    chunkCount: fields.u32(),
    startTime: fields.u64(),
    endTime: fields.u64(),
    channelMessageCounts: fields.idMap(),
  };
}

export function decodeSummaryOffset({ content, offset }: RawRecord): SummaryOffset {
  const fields = new Fields(content, offset);
  return { groupOpcode: fields.u8(), groupStart: fields.length(), groupLength: fields.length() };
}

export function decodeFooter({ content, offset }: RawRecord): Footer {
  const fields = new Fields(content, offset);
  return {
    summaryStart: fields.length(),
    summaryOffsetStart: fields.length(),
    summaryCrc: fields.u32(),
  };
}

export function decodeDataEnd({ content, offset }: RawRecord): { dataSectionCrc: number } {
  return { dataSectionCrc: new Fields(content, offset).u32() };
}

/** Reads fields in order and never beyond the content. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #recordOffset: number;
  at = 0;

  constructor(content: Uint8Array, recordOffset: number) {
    this.#bytes = content;
    this.#view = viewOf(content);
    this.#recordOffset = recordOffset;
  }

  u8(): number {
    return this.#bytes[this.#step(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  length(): number {
    return lengthAt(this.#view, this.#step(8));
  }

  bytes(length: number): Uint8Array {
    const start = this.#step(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return text.decode(this.bytes(this.u32()));
  }

  stringMap(): ReadonlyMap<string, string> {
    return this.#map(() => [this.string(), this.string()]);
  }

  idMap(): ReadonlyMap<number, number> {
    return this.#map(() => [this.u16(), this.length()]);
  }

  #map<K, V>(entry: () => [K, V]): ReadonlyMap<K, V> {
    const map = new Map<K, V>();
    const end = this.u32() + this.at;
    while (this.at < end) map.set(...entry());
    if (this.at !== end) throw this.#fault('a map ends inside an entry');
    return map;
  }

  #step(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.#bytes.byteLength) throw this.#fault('a field reaches beyond the record');
    this.at = start + bytes;
    return start;
  }

  #fault(what: string): FormatFault {
    return new FormatFault(`in the record at byte ${this.#recordOffset} ${what}`, this.#recordOffset);
  }
}
