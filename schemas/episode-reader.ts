import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { McapIndexedReader } from '@mcap/core';
import { EPISODE_RECORD, type EpisodeInfo, LEDGER_RECORD, parseEpisodeInfo } from './episode.ts';
import type { Attachment } from './episode-writer.ts';
import { EpisodeError, UsageError } from './errors.ts';
import { decodeLedger, type Ledger } from './ledger.ts';
import type { Channel, Message } from './message.ts';

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
  readonly channels: ReadonlyMap<number, Channel>;
  readonly messageCount: number;
  /** Messages per channel id. */
  readonly messageCounts: ReadonlyMap<number, number>;
  /** Log time of the first message; equal to endTime when there is none. */
  readonly startTime: bigint;
  /** One nanosecond past the log time of the last message. */
  readonly endTime: bigint;
  readonly bytes: number;
  readonly #handle: FileHandle;
  readonly #mcap: McapIndexedReader;

  /**
   * @throws {UsageError} when the file does not exist.
   * @throws {EpisodeError} when it is no MCAP file, is damaged or was never closed.
   */
  static async open(file: string): Promise<EpisodeReader> {
    const handle = await open(file, 'r').catch((cause: Error) => {
      throw new UsageError(`Cannot open episode "${file}": ${cause.message}.`, { cause });
    });
    try {
      const { size } = await handle.stat();
      const mcap = await McapIndexedReader.Initialize({
        readable: {
          size: async () => BigInt(size),
          read: async (offset, length) => {
            // A buffer per read: iterators that share one corrupt each other.
            const buffer = new Uint8Array(Number(length));
            await handle.read(buffer, 0, buffer.byteLength, Number(offset));
            return buffer;
          },
        },
      });
      return new EpisodeReader(file, handle, mcap, size);
    } catch (cause) {
      await handle.close();
      throw new EpisodeError(
        file,
        `Cannot read "${file}" as an MCAP file: ${(cause as Error).message}. ` +
          `If its recording was interrupted, run "kinescribe recover ${file}".`,
        { cause },
      );
    }
  }

  private constructor(file: string, handle: FileHandle, mcap: McapIndexedReader, bytes: number) {
    this.file = file;
    this.bytes = bytes;
    this.#handle = handle;
    this.#mcap = mcap;
    this.channels = new Map(
      mcap.channelsById.values().map(({ id, topic, messageEncoding, schemaId, metadata }) => {
        const schema = mcap.schemasById.get(schemaId);
        return [id, { id, topic, messageEncoding, schema, metadata }];
      }),
    );
    const { statistics } = mcap;
    this.messageCount = Number(statistics?.messageCount ?? 0n);
    this.messageCounts = new Map(
      statistics?.channelMessageCounts.entries().map(([id, count]) => [id, Number(count)]),
    );
    this.startTime = statistics?.messageStartTime ?? 0n;
    this.endTime = this.messageCount > 0 ? (statistics?.messageEndTime ?? -1n) + 1n : this.startTime;
  }

  /** Messages in order of log time, across all chunks and channels. */
  async *messages({ topics, startTime, endTime, reverse }: ReadOptions = {}): AsyncGenerator<Message> {
    const selection = {
      ...(topics && { topics: [...topics] }),
      ...(startTime !== undefined && { startTime }),
      ...(endTime !== undefined && { endTime: endTime - 1n }), // the library's end is inclusive
      ...(reverse && { reverse }),
    };
    for await (const { channelId, sequence, logTime, publishTime, data } of this.#mcap.readMessages(
      selection,
    )) {
      yield { channel: this.channels.get(channelId)!, sequence, logTime, publishTime, data };
    }
  }

  /** The last message at or before an instant, per topic; topics without one are absent. */
  async latestBefore(time: bigint, topics: Iterable<string>): Promise<ReadonlyMap<string, Message>> {
    const latest = new Map<string, Message>();
    for (const topic of topics) {
      for await (const message of this.messages({ topics: [topic], endTime: time + 1n, reverse: true })) {
        latest.set(topic, message);
        break;
      }
    }
    return latest;
  }

  /** Fields of the last metadata record of this name. */
  async metadata(name: string): Promise<ReadonlyMap<string, string> | undefined> {
    let last: ReadonlyMap<string, string> | undefined;
    for await (const record of this.#mcap.readMetadata({ name })) last = record.metadata;
    return last;
  }

  /** What the recorder knew at the start; undefined for files of other recorders. */
  async info(): Promise<EpisodeInfo | undefined> {
    const fields = await this.metadata(EPISODE_RECORD);
    return fields && parseEpisodeInfo(fields);
  }

  /** The account of the take; undefined for files of other recorders. */
  async ledger(): Promise<Ledger | undefined> {
    const text = (await this.metadata(LEDGER_RECORD))?.get('ledger');
    return text === undefined ? undefined : decodeLedger(text);
  }

  async *attachments(): AsyncGenerator<Attachment> {
    for await (const { name, mediaType, logTime, data } of this.#mcap.readAttachments()) {
      yield { name, mediaType, logTime, data };
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The identity of an episode: `sha256:` and the digest of the file's bytes. */
export async function episodeDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20 }))
    hash.update(block as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}
