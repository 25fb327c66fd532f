import type { SealedChunk } from './chunk-builder.ts';
import { bytesOf, type StoredRecords } from './chunk-codec.ts';
import { ChunkLog, type LoggedChunk } from './chunk-log.ts';
import { crc32, crc32Combine } from './crc32.ts';
import { RecordEncoder } from './mcap-encode.ts';
import {
  type AttachmentIndex,
  type ChannelRecord,
  MAGIC,
  type MetadataIndex,
  OPCODE,
  RECORD_PREFIX_BYTES,
  type SchemaRecord,
  type Statistics,
  type SummaryOffset,
} from './mcap-format.ts';

/** A chunk without its records, which come in their compressed form. */
export type ChunkToPlace = Omit<SealedChunk, 'records'>;

/** The end of a file that is given up, see {@link McapAssembler.takeBack}. */
export interface TakenBack {
  /** New length of the file. */
  readonly offset: number;
  readonly chunks: readonly LoggedChunk[];
  readonly records: readonly Uint8Array[];
}

/**
 * Puts the records of one MCAP file behind each other and keeps what its summary needs. Every method gives
 * back the bytes to append to the file, in order and all of them.
 */
export class McapAssembler {
  readonly #encoder = new RecordEncoder();
  readonly #schemas = new Map<number, SchemaRecord>();
  readonly #channels = new Map<number, ChannelRecord>();
  readonly #chunks = new ChunkLog();
  #attachments: AttachmentIndex[] = [];
  #metadata: (MetadataIndex & { readonly record: Uint8Array })[] = [];
  #preambleBytes = 0;
  #position = 0;
  /** Of everything before the position; undefined once bytes were taken back. */
  #crc: number | undefined = 0;

  begin(profile: string, library: string): Uint8Array {
    this.#encoder.raw(MAGIC);
    this.#encoder.header(profile, library);
    const preamble = this.#placed(this.#encoder.take());
    this.#preambleBytes = this.#position;
    return preamble;
  }

  schema(schema: SchemaRecord): Uint8Array {
    this.#schemas.set(schema.id, schema);
    this.#encoder.schema(schema);
    return this.#placed(this.#encoder.take());
  }

  channel(channel: ChannelRecord): Uint8Array {
    this.#channels.set(channel.id, channel);
    this.#encoder.channel(channel);
    return this.#placed(this.#encoder.take());
  }

  chunk(chunk: ChunkToPlace, { compression, parts }: StoredRecords): Uint8Array[] {
    const { startTime, endTime, crc, uncompressedBytes, shares, messageIndexes } = chunk;
    const fields = {
      startTime,
      endTime,
      uncompressedBytes,
      compression,
      compressedBytes: bytesOf(parts),
    };
    this.#encoder.chunkHeader({ ...fields, crc });
    const offset = this.#position;
    const header = this.#placed(this.#encoder.take());
    // The CRC of uncompressed records is known already; no byte is summed twice.
    if (compression === '') this.#advance(fields.compressedBytes, crc);
    else for (const part of parts) this.#placed(part);
    const indexStart = this.#position;
    this.#placed(messageIndexes);
    const place = {
      offset,
      length: indexStart - offset,
      messageIndexOffsets: new Map(
        chunk.messageIndexOffsets.entries().map(([channelId, at]) => [channelId, indexStart + at]),
      ),
      messageIndexBytes: messageIndexes.byteLength,
    };
    this.#chunks.add({ ...fields, ...place }, shares);
    return [header, ...parts, messageIndexes];
  }

  /** The blocks of an attachment's record. @throws {RangeError} when `data` is not `dataBytes` long. */
  async *attachment(
    attachment: Omit<AttachmentIndex, 'offset' | 'length'>,
    data: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const { name, dataBytes } = attachment;
    this.#encoder.attachmentHeader(attachment);
    const offset = this.#position;
    const header = this.#placed(this.#encoder.take());
    this.#attachments.push({ ...attachment, offset, length: header.byteLength + dataBytes + 4 });
    yield header;
    let crc = crc32(header.subarray(RECORD_PREFIX_BYTES));
    let restBytes = dataBytes;
    for await (const block of data) {
      restBytes -= block.byteLength;
      if (restBytes < 0) break;
      crc = crc32(block, crc);
      yield this.#placed(block);
    }
    if (restBytes !== 0) {
      throw new RangeError(`attachment "${name}" has not the ${dataBytes} bytes that its header says`);
    }
    this.#encoder.crc(crc);
    yield this.#placed(this.#encoder.take());
  }

  metadata(name: string, fields: ReadonlyMap<string, string>): Uint8Array {
    this.#encoder.metadata(name, fields);
    return this.#placeMetadata(name, this.#encoder.take());
  }

  /** Everything from the end of the data section to the last byte of the file. Changes nothing. */
  end(): Uint8Array {
    const encoder = this.#encoder;
    const groups: SummaryOffset[] = [];
    const group = <T>(groupOpcode: number, entries: Iterable<T>, encode: (entry: T) => void) => {
      const start = encoder.size;
      for (const entry of entries) encode(entry);
      const groupLength = encoder.size - start;
      if (groupLength > 0) groups.push({ groupOpcode, groupStart: this.#position + start, groupLength });
    };
    encoder.dataEnd(this.#crc ?? 0);
    const summaryAt = encoder.size;
    group(OPCODE.schema, this.#schemas.values(), (schema) => encoder.schema(schema));
    group(OPCODE.channel, this.#channels.values(), (channel) => encoder.channel(channel));
    group(OPCODE.statistics, [this.statistics()], (statistics) => encoder.statistics(statistics));
    group(OPCODE.chunkIndex, [this.#chunks.records], (records) => encoder.raw(records));
    group(OPCODE.attachmentIndex, this.#attachments, (attachment) => encoder.attachmentIndex(attachment));
    group(OPCODE.metadataIndex, this.#metadata, (metadata) => encoder.metadataIndex(metadata));
    const summaryOffsetStart = this.#position + encoder.size;
    for (const each of groups) encoder.summaryOffset(each);
    encoder.footer({ summaryStart: this.#position + summaryAt, summaryOffsetStart }, summaryAt);
    encoder.raw(MAGIC);
    return encoder.take();
  }

  statistics(): Statistics {
    const { count, messageCounts, times } = this.#chunks;
    return {
      messageCount: messageCounts.values().reduce((sum, each) => sum + each, 0),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.size,
      attachmentCount: this.#attachments.length,
      metadataCount: this.#metadata.length,
      chunkCount: count,
      startTime: times?.startTime ?? 0n,
      endTime: times?.endTime ?? 0n,
      channelMessageCounts: messageCounts,
    };
  }

  /**
   * Forgets the end of the file: what was not written whole, and as many chunks more as it takes to free
   * room for the rest of the file.
   *
   * @param writtenBytes bytes that are in the file.
   * @param freeBytes room to win for metadata that is still to come; the summary's own is added.
   * @returns where to cut the file, the chunks that are gone, and records to append again behind the cut.
   */
  takeBack(writtenBytes: number, freeBytes: number): TakenBack {
    const neededBytes = freeBytes === 0 ? 0 : freeBytes + this.end().byteLength;
    const chunks: LoggedChunk[] = [];
    for (let last = this.#chunks.last; last; last = this.#chunks.last) {
      if (last.endOffset <= writtenBytes && writtenBytes - last.endOffset >= neededBytes) break;
      this.#chunks.takeBack();
      chunks.unshift(last);
    }
    const boundary = this.#chunks.last?.endOffset ?? chunks[0]?.startOffset ?? this.#preambleBytes;
    const offset = Math.min(boundary, writtenBytes);

    this.#attachments = this.#attachments.filter((attachment) => attachment.offset < offset);
    const metadata = this.#metadata.filter((record) => record.offset >= offset);
    this.#metadata = this.#metadata.filter((record) => record.offset < offset);
    this.#position = offset;
    this.#crc = undefined;
    return { offset, chunks, records: metadata.map(({ name, record }) => this.#placeMetadata(name, record)) };
  }

  #placeMetadata(name: string, record: Uint8Array): Uint8Array {
    this.#metadata.push({ name, record, offset: this.#position, length: record.byteLength });
    return this.#placed(record);
  }

  #placed(bytes: Uint8Array): Uint8Array {
    if (this.#crc !== undefined) this.#crc = crc32(bytes, this.#crc);
    this.#position += bytes.byteLength;
    return bytes;
  }

  #advance(bytes: number, crc: number): void {
    if (this.#crc !== undefined) this.#crc = crc32Combine(this.#crc, crc, bytes);
    this.#position += bytes;
  }
}
