/**
 * The nouns of an MCAP file, flat from the specification (https://mcap.dev/spec). Instants stay bigint;
 * offsets and lengths are numbers, because no file reaches 2^53 bytes.
 */

export const MAGIC = new Uint8Array([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a]);

export const OPCODE = {
  header: 0x01,
  footer: 0x02,
  schema: 0x03,
  channel: 0x04,
  message: 0x05,
  chunk: 0x06,
  messageIndex: 0x07,
  chunkIndex: 0x08,
  attachment: 0x09,
  attachmentIndex: 0x0a,
  statistics: 0x0b,
  metadata: 0x0c,
  metadataIndex: 0x0d,
  summaryOffset: 0x0e,
  dataEnd: 0x0f,
} as const;

/** Opcode and 64-bit length before every record's content. */
export const RECORD_PREFIX_BYTES = 9;
/** Channel id, sequence, log time and publish time before a message's payload. */
export const MESSAGE_FIELDS_BYTES = 22;
/** Footer record and closing magic: the last bytes of a complete file. */
export const FOOTER_BYTES = RECORD_PREFIX_BYTES + 20 + MAGIC.byteLength;

export interface SchemaRecord {
  /** Never 0: that stands for "no schema" in a channel. */
  readonly id: number;
  readonly name: string;
  readonly encoding: string;
  readonly data: Uint8Array;
}

export interface ChannelRecord {
  readonly id: number;
  readonly schemaId: number;
  readonly topic: string;
  readonly messageEncoding: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A chunk's fields without its records. */
export interface ChunkHeader {
  /** Log times of its earliest and latest message, both inclusive; 0 without messages. */
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly uncompressedBytes: number;
  /** CRC-32 of the uncompressed records; 0 when not available. */
  readonly crc: number;
  /** `zstd`, `lz4`, or empty for none. */
  readonly compression: string;
  readonly compressedBytes: number;
}

export interface ChunkIndex extends Omit<ChunkHeader, 'crc'> {
  /** Where the chunk record begins in the file. */
  readonly offset: number;
  /** Bytes of the chunk record with its prefix. */
  readonly length: number;
  /** File offset of each channel's message index record; empty when there are none. */
  readonly messageIndexOffsets: ReadonlyMap<number, number>;
  readonly messageIndexBytes: number;
}

export interface AttachmentIndex {
  readonly offset: number;
  readonly length: number;
  readonly logTime: bigint;
  readonly createTime: bigint;
  readonly dataBytes: number;
  readonly name: string;
  readonly mediaType: string;
}

export interface MetadataIndex {
  readonly offset: number;
  readonly length: number;
  readonly name: string;
}

export interface Statistics {
  readonly messageCount: number;
  readonly schemaCount: number;
  readonly channelCount: number;
  readonly attachmentCount: number;
  readonly metadataCount: number;
  readonly chunkCount: number;
  /** Log times of the earliest and the latest message, both inclusive; 0 without messages. */
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly channelMessageCounts: ReadonlyMap<number, number>;
}

export interface SummaryOffset {
  readonly groupOpcode: number;
  readonly groupStart: number;
  readonly groupLength: number;
}

export interface Footer {
  /** 0 when the file has no summary. */
  readonly summaryStart: number;
  readonly summaryOffsetStart: number;
  readonly summaryCrc: number;
}

/** Bytes that break the format; `offset` says where, in the file or in the chunk being read. */
export class FormatFault extends RangeError {
  readonly offset: number;

  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.offset = offset;
  }
}
