import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { McapWriter } from '@mcap/core';
import { EPISODE_SUFFIX } from './episode.ts';
import { EpisodeError } from './errors.ts';
import type { ChannelSpec, Message } from './message.ts';

/** One message to write; the channel is named by the id that addChannel gave. */
export interface MessageToWrite extends Omit<Message, 'channel'> {
  readonly channelId: number;
}

export interface Attachment {
  readonly name: string;
  readonly mediaType: string;
  readonly logTime: bigint;
  readonly data: Uint8Array;
}

export interface EpisodeWriterOptions {
  /** Uncompressed bytes after which a chunk is closed. @default 1 MiB */
  readonly chunkBytes?: number;
}

export interface ClosedEpisode {
  readonly file: string;
  readonly bytes: number;
  readonly messageCount: number;
}

/**
 * Writes one episode as an MCAP file: `<file>.part` while open; close() completes it, forces it to disk
 * and only then gives it its name.
 */
export class EpisodeWriter {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #mcap: McapWriter;
  #tail: Promise<unknown>;
  #channelCount = 0;
  #messageCount = 0;
  #bytes = 0n;

  /**
   * @param file path of the finished episode, ending in `.mcap`; neither it nor its `.part` may exist.
   * @throws {EpisodeError} when the file exists or its folder cannot be written.
   */
  static async open(file: string, options: EpisodeWriterOptions = {}): Promise<EpisodeWriter> {
    if (!file.endsWith(EPISODE_SUFFIX))
      throw new RangeError(`An episode's file ends in "${EPISODE_SUFFIX}": ${file}`);
    try {
      const handle = await open(`${file}.part`, 'wx');
      return new EpisodeWriter(file, handle, options);
    } catch (cause) {
      throw new EpisodeError(
        file,
        `Cannot create episode "${file}": ${(cause as Error).message}. Check that the folder exists and is writable.`,
        { cause },
      );
    }
  }

  private constructor(file: string, handle: FileHandle, { chunkBytes = 1 << 20 }: EpisodeWriterOptions) {
    this.file = file;
    this.#handle = handle;
    this.#mcap = new McapWriter({
      chunkSize: chunkBytes,
      writable: {
        position: () => this.#bytes,
        write: async (buffer) => {
          await handle.writev([buffer]);
          this.#bytes += BigInt(buffer.byteLength);
        },
      },
    });
    this.#tail = this.#mcap.start({ profile: 'ros2', library: 'kinescribe' });
  }

  /** Registers a channel and returns its id; ids count from 0. */
  addChannel({ topic, messageEncoding, schema, metadata }: ChannelSpec): number {
    const id = this.#channelCount++;
    void this.#enqueue(async () => {
      const schemaId = schema ? await this.#mcap.registerSchema(schema) : 0;
      await this.#mcap.registerChannel({ topic, messageEncoding, schemaId, metadata: new Map(metadata) });
    });
    return id;
  }

  /**
   * Takes a message; its bytes are copied before this returns.
   *
   * @returns undefined while there is room, else a promise to await before the next message.
   */
  write(message: MessageToWrite): Promise<void> | undefined {
    this.#messageCount++;
    const data = message.data.slice();
    return this.#enqueue(() => this.#mcap.addMessage({ ...message, data }));
  }

  addAttachment({ name, mediaType, logTime, data }: Attachment): Promise<void> {
    return this.#enqueue(() =>
      this.#mcap.addAttachment({ name, mediaType, logTime, createTime: logTime, data }),
    );
  }

  addMetadata(name: string, fields: ReadonlyMap<string, string>): Promise<void> {
    return this.#enqueue(() => this.#mcap.addMetadata({ name, metadata: new Map(fields) }));
  }

  /** Completes the file, forces it to disk and renames it. The writer is done then. */
  async close(): Promise<ClosedEpisode> {
    await this.#enqueue(() => this.#mcap.end());
    await this.#handle.sync();
    await this.#handle.close();
    await rename(`${this.file}.part`, this.file);
    await syncDirectory(dirname(this.file));
    return { file: this.file, bytes: Number(this.#bytes), messageCount: this.#messageCount };
  }

  /** Stops without completing: the `.part` file stays for recovery. */
  async abort(): Promise<void> {
    await this.#tail.catch(() => {});
    await this.#handle.close();
  }

  #enqueue(step: () => Promise<unknown>): Promise<void> {
    const done = this.#tail.then(step).then(() => {});
    this.#tail = done;
    return done;
  }
}

/** A rename is durable only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
