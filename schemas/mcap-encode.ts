import { crc32 } from './crc32.ts';
import {
  type AttachmentIndex,
  type ChannelRecord,
  type ChunkHeader,
  type ChunkIndex,
  type Footer,
  type MetadataIndex,
  OPCODE,
  RECORD_PREFIX_BYTES,
  type SchemaRecord,
  type Statistics,
  type SummaryOffset,
} from './mcap-format.ts';

const text = new TextEncoder();

/** Builds MCAP records one after another in a buffer that grows. */
export class RecordEncoder {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A copy of everything encoded so far; the encoder is empty afterwards. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#size);
    this.#size = 0;
    return bytes;
  }

  /** What is encoded so far; a view that is valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Forgets everything behind the first so many bytes. */
  truncate(size: number): void {
    this.#size = size;
  }

  schema({ id, name, encoding, data }: SchemaRecord): void {
    this.#record(OPCODE.schema, () => {
      this.#u16(id);
      this.#string(name);
      this.#string(encoding);
      this.#u32(data.byteLength);
      this.raw(data);
    });
  }

  channel({ id, schemaId, topic, messageEncoding, metadata }: ChannelRecord): void {
    this.#record(OPCODE.channel, () => {
      this.#u16(id);
      this.#u16(schemaId);
      this.#string(topic);
      this.#string(messageEncoding);
      this.#stringMap(metadata);
    });
  }

  header(profile: string, library: string): void {
    this.#record(OPCODE.header, () => {
      this.#string(profile);
      this.#string(library);
    });
  }

  /** Everything of a chunk record up to its records, which the caller puts right behind. */
  chunkHeader(chunk: ChunkHeader): void {
    const start = this.#size;
    this.#prefix(OPCODE.chunk);
    this.#u64(chunk.startTime);
    this.#u64(chunk.endTime);
    this.#length(chunk.uncompressedBytes);
    this.#u32(chunk.crc);
    this.#string(chunk.compression);
    this.#length(chunk.compressedBytes);
    this.#setLength(start, this.#size - start - RECORD_PREFIX_BYTES + chunk.compressedBytes);
  }

  /** @param entries log time and chunk offset of every message, two uint64 each, as the record holds them. */
  messageIndex(channelId: number, entries: Uint8Array): void {
    this.#record(OPCODE.messageIndex, () => {
      this.#u16(channelId);
      this.#u32(entries.byteLength);
      this.raw(entries);
    });
  }

  /** Everything of an attachment record up to its data; data and a CRC of 4 bytes follow. */
  attachmentHeader(attachment: Omit<AttachmentIndex, 'offset' | 'length'>): void {
    const start = this.#size;
    this.#prefix(OPCODE.attachment);
    this.#u64(attachment.logTime);
    this.#u64(attachment.createTime);
    this.#string(attachment.name);
    this.#string(attachment.mediaType);
    this.#length(attachment.dataBytes);
    this.#setLength(start, this.#size - start - RECORD_PREFIX_BYTES + attachment.dataBytes + 4);
  }

  /** Behind an attachment's data. */
  crc(crc: number): void {
    this.#u32(crc);
  }

  metadata(name: string, fields: ReadonlyMap<string, string>): void {
    this.#record(OPCODE.metadata, () => {
      this.#string(name);
      this.#stringMap(fields);
    });
  }

  dataEnd(dataSectionCrc: number): void {
    this.#record(OPCODE.dataEnd, () => this.#u32(dataSectionCrc));
  }

  statistics(statistics: Statistics): void {
    this.#record(OPCODE.statistics, () => {
      this.#length(statistics.messageCount);
      this.#u16(statistics.schemaCount);
      this.#u32(statistics.channelCount);
      this.#u32(statistics.attachmentCount);
      this.#u32(statistics.metadataCount);
      this.#u32(statistics.chunkCount);
      this.#u64(statistics.startTime);
      this.#u64(statistics.endTime);
      this.#idMap(statistics.channelMessageCounts);
    });
  }

  chunkIndex(chunk: ChunkIndex): void {
    this.#record(OPCODE.chunkIndex, () => {
      this.#u64(chunk.startTime);
      this.#u64(chunk.endTime);
      this.#length(chunk.offset);
      this.#length(chunk.length);
      this.#idMap(chunk.messageIndexOffsets);
      this.#length(chunk.messageIndexBytes);
      this.#string(chunk.compression);
      this.#length(chunk.compressedBytes);
      this.#length(chunk.uncompressedBytes);
    });
  }

  attachmentIndex(attachment: AttachmentIndex): void {
    this.#record(OPCODE.attachmentIndex, () => {
      this.#length(attachment.offset);
      this.#length(attachment.length);
      this.#u64(attachment.logTime);
      this.#u64(attachment.createTime);
      this.#length(attachment.dataBytes);
      this.#string(attachment.name);
      this.#string(attachment.mediaType);
    });
  }

  metadataIndex({ offset, length, name }: MetadataIndex): void {
    this.#record(OPCODE.metadataIndex, () => {
      this.#length(offset);
      this.#length(length);
      this.#string(name);
    });
  }

  summaryOffset({ groupOpcode, groupStart, groupLength }: SummaryOffset): void {
    this.#record(OPCODE.summaryOffset, () => {
      this.#reserve(1);
      this.#bytes[this.#size++] = groupOpcode;
      this.#length(groupStart);
      this.#length(groupLength);
    });
  }

  /** @param summaryAt where in this encoder the summary begins; the CRC covers it and the footer's head. */
  footer(footer: Omit<Footer, 'summaryCrc'>, summaryAt: number): void {
    this.#record(OPCODE.footer, (start) => {
      this.#length(footer.summaryStart);
      this.#length(footer.summaryOffsetStart);
      this.#setLength(start, 20); // the CRC covers the record's prefix too
      this.#u32(crc32(this.#bytes.subarray(summaryAt, this.#size)));
    });
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.byteLength;
  }

  #record(opcode: number, content: (start: number) => void): void {
    const start = this.#size;
    this.#prefix(opcode);
    content(start);
    this.#setLength(start, this.#size - start - RECORD_PREFIX_BYTES);
  }

  #prefix(opcode: number): void {
    this.#reserve(RECORD_PREFIX_BYTES);
    this.#bytes[this.#size] = opcode;
    this.#size += RECORD_PREFIX_BYTES;
  }

  #setLength(start: number, length: number): void {
    this.#view.setBigUint64(start + 1, BigInt(length), true);
  }

  #u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#size, value, true);
    this.#size += 2;
  }

  #u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#size, value, true);
    this.#size += 4;
  }

  #u64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#size, value, true);
    this.#size += 8;
  }

  #length(value: number): void {
    this.#u64(BigInt(value));
  }

  #string(value: string): void {
    const bytes = text.encode(value);
    this.#u32(bytes.byteLength);
    this.raw(bytes);
  }

  #stringMap(map: ReadonlyMap<string, string>): void {
    this.#sized(() => {
      for (const [key, value] of map) {
        this.#string(key);
        this.#string(value);
      }
    });
  }

  #idMap(map: ReadonlyMap<number, number>): void {
    this.#sized(() => {
      for (const [id, value] of map) {
        this.#u16(id);
        this.#length(value);
      }
    });
  }

  /** Content behind its own uint32 byte length. */
  #sized(content: () => void): void {
    const start = this.#size;
    this.#u32(0);
    content();
    this.#view.setUint32(start, this.#size - start - 4, true);
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
