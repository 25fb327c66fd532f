import { type ChunkPlace, compareTimes } from './chunk-reader.ts';
import { crc32 } from './crc32.ts';
import { EPISODE_RECORD, type EpisodeInfo, LEDGER_RECORD, parseEpisodeInfo } from './episode.ts';
import { type EpisodeIndex, readIndex } from './episode-index.ts';
import type { Attachment } from './episode-writer.ts';
import { EpisodeError } from './errors.ts';
import { FileBytes } from './file-bytes.ts';
import { Flattened, type Run } from './flattened.ts';
import { LatestBefore } from './latest-before.ts';
import { decodeLedger, type Ledger } from './ledger.ts';
import { decodeAttachmentHeader, decodeMetadata, lengthAt, type RawRecord, viewOf } from './mcap-decode.ts';
import {
  type AttachmentIndex,
  FormatFault,
  MESSAGE_FIELDS_BYTES,
  RECORD_PREFIX_BYTES,
} from './mcap-format.ts';
import type { Channel, Message } from './message.ts';
import { timeOrder } from './time-order.ts';

export interface ReadOptions {
  /** Only these topics. @default all */
  readonly topics?: Iterable<string>;
  /** First log time, inclusive. @default the first message's */
  readonly startTime?: bigint;
  /** Log time to stop before, exclusive. @default after the last message */
  readonly endTime?: bigint;
  /** Newest first. @default false */
  readonly reverse?: boolean;
}

/** Reads an MCAP file, ours or anybody's. Several reads may run at once. */
export class EpisodeReader {
  readonly file: string;
  /** What the file says of itself: `ros2`, and the program that wrote it. */
  readonly profile: string;
  readonly library: string;
  /** Whether the file's summary told what is in it; else opening it read all of it. */
  readonly isIndexed: boolean;
  readonly channels: ReadonlyMap<number, Channel>;
  readonly messageCount: number;
  /** Messages per channel id. */
  readonly messageCounts: ReadonlyMap<number, number>;
  /** Log time of the first message; equal to endTime when there is none. */
  readonly startTime: bigint;
  /** One nanosecond past the log time of the last message. */
  readonly endTime: bigint;
  readonly bytes: number;
  /** Where messages lie, in the order of the file. */
  readonly chunks: readonly ChunkPlace[];
  readonly attachmentIndexes: readonly AttachmentIndex[];
  readonly #bytes: FileBytes;
  readonly #metadata: EpisodeIndex['metadata'];
  #placesByEndTime: readonly ChunkPlace[] | undefined;

  /**
   * @throws {UsageError} when the file does not exist.
   * @throws {EpisodeError} when it is no MCAP file, is damaged or was never closed.
   */
  static async open(file: string): Promise<EpisodeReader> {
    const bytes = await FileBytes.open(file);
    try {
      return new EpisodeReader(bytes, await readIndex(bytes));
    } catch (cause) {
      await bytes.close();
      throw cause instanceof FormatFault ? bytes.error(cause) : cause;
    }
  }

  private constructor(bytes: FileBytes, index: EpisodeIndex) {
    this.file = bytes.path;
    this.bytes = bytes.size;
    this.#bytes = bytes;
    this.profile = index.profile;
    this.library = index.library;
    this.isIndexed = index.isIndexed;
    this.channels = index.channels;
    this.chunks = index.chunks;
    this.attachmentIndexes = index.attachments;
    this.#metadata = index.metadata;
    this.messageCounts = index.messageCounts;
    this.messageCount = index.messageCounts.values().reduce((sum, count) => sum + count, 0);
    this.startTime = index.times?.first ?? 0n;
    this.endTime = index.times ? index.times.last + 1n : this.startTime;
  }

  /** Messages in order of log time, across all chunks and channels; equal times in the order of the file. */
  messages(options: ReadOptions = {}): AsyncGenerator<Message> {
    return new Flattened(this.#runs(options));
  }

  /** The last message at or before an instant, per topic; topics without one are absent. */
  async latestBefore(time: bigint, topics: Iterable<string>): Promise<ReadonlyMap<string, Message>> {
    this.#placesByEndTime ??= this.chunks.toSorted((a, b) => compareTimes(b.endTime, a.endTime));
    const question = new LatestBefore(this.#bytes, this.#placesByEndTime, time);
    const answers = await Promise.all(
      [...topics].map(async (topic) => {
        const found = await question.find(this.#channelIds(new Set([topic])));
        if (!found) return undefined;
        const record = await question.record(found);
        return [topic, this.#message(record, viewOf(record), 0, found.logTime)] as const;
      }),
    );
    return new Map(answers.filter((answer) => answer !== undefined));
  }

  /** Fields of the last metadata record of this name. */
  async metadata(name: string): Promise<ReadonlyMap<string, string> | undefined> {
    const last = this.#metadata.findLast((record) => record.name === name);
    return last && this.#parsed(async () => decodeMetadata(await this.#record(last)).fields);
  }

  /** What the recorder knew at the start; undefined for files of other recorders. */
  async info(): Promise<EpisodeInfo | undefined> {
    const fields = await this.metadata(EPISODE_RECORD);
    return fields && parseEpisodeInfo(fields);
  }

  /**
   * The account of the take; undefined for files of other recorders.
   *
   * @throws {EpisodeError} when the file holds one that is not readable.
   */
  async ledger(): Promise<Ledger | undefined> {
    const text = (await this.metadata(LEDGER_RECORD))?.get('ledger');
    if (text === undefined) return undefined;
    try {
      return decodeLedger(text);
    } catch (cause) {
      throw new EpisodeError(
        this.file,
        `Cannot read the ledger of "${this.file}": ${(cause as Error).message}. Its losses are unknown.`,
        { cause },
      );
    }
  }

  /** @throws {EpisodeError} when one does not match its CRC. */
  async *attachments(): AsyncGenerator<Attachment> {
    for (const place of this.attachmentIndexes) {
      yield await this.#parsed(async () => decodeAttachment(await this.#record(place)));
    }
  }

  async close(): Promise<void> {
    await this.#bytes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#runs(options: ReadOptions): AsyncGenerator<Run<Message>, undefined> {
    const { topics, startTime, endTime, reverse: isReverse = false } = options;
    const channelIds = topics && this.#channelIds(new Set(topics));
    const runs = timeOrder(this.#bytes, this.chunks, { channelIds, startTime, endTime, isReverse });
    for await (const { chunk, places, start, end } of runs) {
      const view = viewOf(chunk);
      yield {
        length: end - start,
        at: (n) => {
          const i = isReverse ? end - 1 - n : start + n;
          return this.#message(chunk, view, places.offsets[i]!, places.logTimes[i]!);
        },
      };
    }
  }

  #channelIds(topics: ReadonlySet<string>): ReadonlySet<number> {
    const channels = this.channels.values().filter(({ topic }) => topics.has(topic));
    return new Set(channels.map(({ id }) => id));
  }

  /** @param at of the message's record in `block`. */
  #message(block: Uint8Array, view: DataView, at: number, logTime: bigint): Message {
    const fields = at + RECORD_PREFIX_BYTES;
    const id = view.getUint16(fields, true);
    const channel = this.channels.get(id);
    if (!channel)
      throw this.#bytes.error(new FormatFault(`it has a message of channel ${id}, which is not defined`, 0));
    const dataBytes = lengthAt(view, at + 1) - MESSAGE_FIELDS_BYTES;
    return {
      channel,
      sequence: view.getUint32(fields + 2, true),
      logTime,
      publishTime: view.getBigUint64(fields + 14, true),
      data: new Uint8Array(block.buffer, block.byteOffset + fields + MESSAGE_FIELDS_BYTES, dataBytes),
    };
  }

  async #record({ offset, length }: { readonly offset: number; readonly length: number }) {
    const record = await this.#bytes.read(offset, length);
    return { opcode: record[0] ?? 0, offset, content: record.subarray(RECORD_PREFIX_BYTES) };
  }

  async #parsed<T>(parse: () => Promise<T>): Promise<T> {
    try {
      return await parse();
    } catch (cause) {
      throw cause instanceof FormatFault ? this.#bytes.error(cause) : cause;
    }
  }
}

/** @throws {FormatFault} when it is cut short or does not match its CRC. */
function decodeAttachment(record: RawRecord): Attachment {
  const { content, offset } = record;
  const { name, mediaType, logTime, dataBytes, fieldBytes } = decodeAttachmentHeader(record);
  const end = fieldBytes + dataBytes;
  if (end + 4 > content.byteLength) {
    throw new FormatFault(`the attachment "${name}" at byte ${offset} reaches beyond its record`, offset);
  }
  const crc = viewOf(content).getUint32(end, true);
  if (crc !== 0 && crc !== crc32(content.subarray(0, end))) {
    throw new FormatFault(`the CRC of attachment "${name}" at byte ${offset} is wrong`, offset);
  }
  return { name, mediaType, logTime, data: content.subarray(fieldBytes, end) };
}
