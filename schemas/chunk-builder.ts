import { crc32 } from './crc32.ts';
import { uninitialized } from './file-bytes.ts';
import { RecordEncoder } from './mcap-encode.ts';
import { MESSAGE_FIELDS_BYTES, OPCODE, RECORD_PREFIX_BYTES } from './mcap-format.ts';
import type { Message } from './message.ts';

/** Bytes around a payload in a chunk. */
export const MESSAGE_OVERHEAD_BYTES = RECORD_PREFIX_BYTES + MESSAGE_FIELDS_BYTES;

/** What a channel has in one chunk. */
export interface ChannelShare {
  readonly messageCount: number;
  /** Log times, both inclusive. */
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** A chunk that takes no more messages: what its record and its indexes say. */
export interface SealedChunk {
  /** Uncompressed records; a view of a pooled buffer. */
  readonly records: Uint8Array;
  readonly uncompressedBytes: number;
  readonly crc: number;
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly shares: ReadonlyMap<number, ChannelShare>;
  /** The message index records that follow the chunk, encoded. */
  readonly messageIndexes: Uint8Array;
  /** Where each channel's record begins in them. */
  readonly messageIndexOffsets: ReadonlyMap<number, number>;
}

/** Buffers that chunks are built in, kept so that a recording does not allocate once it is under way. */
export class BufferPool {
  readonly #maxBytes: number;
  /** The one that was used last comes first, as it may still be in a cache of the processor. */
  readonly #free: Uint8Array[] = [];
  #freeBytes = 0;

  /** @param maxBytes as much as may be on its way to the file; more is not kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(minBytes: number): Uint8Array {
    const found = this.#free.findLastIndex((buffer) => buffer.byteLength >= minBytes);
    if (found < 0) return uninitialized(minBytes);
    const [buffer] = this.#free.splice(found, 1);
    this.#freeBytes -= buffer!.byteLength;
    return buffer!;
  }

  give(buffer: Uint8Array): void {
    if (this.#freeBytes + buffer.byteLength > this.#maxBytes) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
  }
}

/** Puts messages behind each other in one buffer and keeps their index. */
export class ChunkBuilder {
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #indexes = new MessageIndexes();
  #size = 0;

  /** @param buffer is filled from its beginning; what does not fit must not be added. */
  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  get size(): number {
    return this.#size;
  }

  get buffer(): Uint8Array {
    return this.#buffer;
  }

  fits(bytes: number): boolean {
    return this.#size + bytes <= this.#buffer.byteLength;
  }

  /** An encoded schema or channel record. */
  addRecord(record: Uint8Array): void {
    this.#buffer.set(record, this.#size);
    this.#size += record.byteLength;
  }

  addMessage(channelId: number, { sequence, logTime, publishTime, data }: Omit<Message, 'channel'>): void {
    const view = this.#view;
    const at = this.#size;
    const contentBytes = MESSAGE_FIELDS_BYTES + data.byteLength;
    view.setUint8(at, OPCODE.message);
    view.setUint32(at + 1, contentBytes, true);
    view.setUint32(at + 5, 0, true); // a payload of 4 GiB fits no buffer
    view.setUint16(at + 9, channelId, true);
    view.setUint32(at + 11, sequence, true);
    view.setBigUint64(at + 15, logTime, true);
    view.setBigUint64(at + 23, publishTime, true);
    this.#buffer.set(data, at + MESSAGE_OVERHEAD_BYTES);
    this.#size = at + RECORD_PREFIX_BYTES + contentBytes;
    this.#indexes.add(channelId, logTime, at);
  }

  seal(): SealedChunk {
    const records = this.#buffer.subarray(0, this.#size);
    return { records, ...this.#indexes.describe(records) };
  }
}

/** Collects the message indexes of one chunk. */
export class MessageIndexes {
  readonly #columns: (IndexColumn | undefined)[] = [];

  /** @param offset of the message's record in the chunk's records. */
  add(channelId: number, logTime: bigint, offset: number): void {
    const column = this.#columns[channelId];
    if (column) column.add(logTime, offset);
    else this.#columns[channelId] = new IndexColumn(logTime, offset);
  }

  /** Everything that the file says about a chunk of these records. */
  describe(records: Uint8Array): Omit<SealedChunk, 'records'> {
    const encoder = new RecordEncoder();
    const messageIndexOffsets = new Map<number, number>();
    const shares = new Map<number, ChannelShare>();
    let times: { startTime: bigint; endTime: bigint } | undefined;
    this.#columns.forEach((column, channelId) => {
      if (!column) return;
      messageIndexOffsets.set(channelId, encoder.size);
      encoder.messageIndex(channelId, column.entries());
      const share = column.share();
      shares.set(channelId, share);
      times ??= { startTime: share.startTime, endTime: share.endTime };
      if (share.startTime < times.startTime) times.startTime = share.startTime;
      if (share.endTime > times.endTime) times.endTime = share.endTime;
    });
    return {
      uncompressedBytes: records.byteLength,
      crc: crc32(records),
      startTime: times?.startTime ?? 0n,
      endTime: times?.endTime ?? 0n,
      shares,
      messageIndexes: encoder.take(),
      messageIndexOffsets,
    };
  }
}

const ENTRY_BYTES = 16;

/** One channel's message index as its record holds it: log time and offset, two uint64 per message. */
class IndexColumn {
  #bytes = new Uint8Array(16 * ENTRY_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;
  #startTime: bigint;
  #endTime: bigint;

  constructor(logTime: bigint, offset: number) {
    this.#startTime = this.#endTime = logTime;
    this.add(logTime, offset);
  }

  add(logTime: bigint, offset: number): void {
    if (this.#size === this.#bytes.byteLength) this.#grow();
    this.#view.setBigUint64(this.#size, logTime, true);
    this.#view.setUint32(this.#size + 8, offset, true);
    this.#size += ENTRY_BYTES;
    if (logTime < this.#startTime) this.#startTime = logTime;
    else if (logTime > this.#endTime) this.#endTime = logTime;
  }

  entries(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  share(): ChannelShare {
    return {
      messageCount: this.#size / ENTRY_BYTES,
      startTime: this.#startTime,
      endTime: this.#endTime,
    };
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#bytes.byteLength);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
