import { BufferPool, ChunkBuilder, MESSAGE_OVERHEAD_BYTES } from './chunk-builder.ts';
import { type Compression, compress } from './chunk-codec.ts';
import { EPISODE_SUFFIX } from './episode.ts';
import { EpisodeError, type RecordError } from './errors.ts';
import type { Loss } from './ledger.ts';
import { Limit } from './limit.ts';
import { RecordEncoder } from './mcap-encode.ts';
import type { ChannelSpec, Message, MessageSchema } from './message.ts';
import { type ClosedEpisode, type Durability, PartFile } from './part-file.ts';
import { OWNER_RECORD, ownerFields } from './part-owner.ts';
import { WriteBudget } from './write-budget.ts';

export type { ClosedEpisode };

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

/** An attachment too large to be held at once. */
export interface StreamedAttachment extends Omit<Attachment, 'data'> {
  /** Sum of the blocks' lengths: the record says it before its data. */
  readonly dataBytes: number;
  readonly data: AsyncIterable<Uint8Array>;
}

export interface EpisodeWriterOptions {
  /** Of chunks; pictures and video, and what does not become smaller, are stored as they are. @default 'zstd' */
  readonly compression?: Compression;
  /** zstd level, 1 to 19. @default 1 */
  readonly level?: number;
  /** Uncompressed bytes after which a chunk is closed. @default 1 MiB */
  readonly chunkBytes?: number;
  /** Longest time that a message stays in an open chunk, seconds. @default 0.5 */
  readonly chunkSecs?: number;
  /** @default 'interval' */
  readonly durability?: Durability;
  /** Bytes on their way to the file beyond which write() asks to wait. @default 32 MiB */
  readonly maxBufferedBytes?: number;
}

/** Chunks of one compression; a channel stays in one lane. */
interface Lane {
  readonly compression: Compression;
  chunk: ChunkBuilder | undefined;
  /** When the chunk was opened, milliseconds of the monotonic clock. */
  openedMillis: number;
}

interface WrittenChannel {
  readonly topic: string;
  readonly lane: Lane;
  /** Encoded schema and channel records, until the channel's first chunk has taken them. */
  definition: Uint8Array | undefined;
}

/** Compressions at once: more than this only wait for each other on the machines that ride on robots. */
const MAX_COMPRESSIONS = 3;
/**
 * Longest time from the closing of a chunk to the file before write() asks to wait, milliseconds: with a
 * chunk open for half a second at most, a kill never costs more than the last second.
 */
const MAX_WRITING_MILLIS = 250;
/** Types whose payload is compressed already: pictures, video, point clouds. */
const COMPRESSED_TYPE = /Compressed|FFMPEGPacket/;

/**
 * Writes one episode as an MCAP file: `<file>.part` while open; close() completes it, forces it to disk
 * and only then gives it its name. When the disk fails, every later write() rejects with the same
 * {@link RecordError}, and close() still makes a valid file of what was written.
 */
export class EpisodeWriter {
  readonly file: string;
  readonly #part: PartFile;
  readonly #options: Required<EpisodeWriterOptions>;
  readonly #pool: BufferPool;
  readonly #compressions = new Limit(MAX_COMPRESSIONS);
  readonly #channels: WrittenChannel[] = [];
  readonly #schemas: MessageSchema[] = [];
  readonly #lanes: readonly Lane[];
  readonly #ticker: NodeJS.Timeout;
  readonly #budget: WriteBudget;
  #isSyncing = false;
  #isEnded = false;
  #isFailureTold = false;

  /**
   * @param file path of the finished episode, ending in `.mcap`; neither it nor its `.part` may exist.
   * @throws {EpisodeError} when the file exists or its folder cannot be written.
   */
  static async open(file: string, options: EpisodeWriterOptions = {}): Promise<EpisodeWriter> {
    if (!file.endsWith(EPISODE_SUFFIX)) {
      throw new RangeError(`An episode's file ends in "${EPISODE_SUFFIX}": ${file}`);
    }
    try {
      const part = await PartFile.create(file, options);
      const owner = await ownerFields();
      const records = part.append((assembler) => [
        assembler.begin('ros2', 'kinescribe'),
        assembler.metadata(OWNER_RECORD, owner),
      ]);
      await records.catch(async (error) => {
        await part.discard();
        throw error;
      });
      return new EpisodeWriter(part, options);
    } catch (cause) {
      throw new EpisodeError(
        file,
        `Cannot create episode "${file}": ${(cause as Error).message}. Check that the folder exists and is writable.`,
        { cause },
      );
    }
  }

  private constructor(part: PartFile, options: EpisodeWriterOptions) {
    const {
      compression = 'zstd',
      level = 1,
      chunkBytes = 1 << 20,
      chunkSecs = 0.5,
      durability = 'interval',
      maxBufferedBytes = 32 << 20,
    } = options;
    this.file = part.file;
    this.#part = part;
    this.#options = { compression, level, chunkBytes, chunkSecs, durability, maxBufferedBytes };
    this.#pool = new BufferPool(maxBufferedBytes);
    this.#budget = new WriteBudget(maxBufferedBytes, chunkSecs * 1000 + MAX_WRITING_MILLIS);
    const lane = (each: Compression): Lane => ({ compression: each, chunk: undefined, openedMillis: 0 });
    this.#lanes = compression === 'none' ? [lane('none')] : [lane(compression), lane('none')];
    // Twice per chunkSecs, closing what is older than half of it: no chunk is open for longer than chunkSecs.
    this.#ticker = setInterval(() => this.#tick(), chunkSecs * 500).unref();
  }

  /** Why the file takes no more messages; undefined while it does. */
  get failure(): RecordError | undefined {
    return this.#part.failure;
  }

  /** Messages that a failing disk kept out of the file; complete when flush() has settled. */
  get losses(): readonly Loss[] {
    return this.#part.lost.map(([channelId, { messageCount, startTime, endTime }]) => ({
      topic: this.#channels[channelId]!.topic,
      cause: 'damaged',
      messages: messageCount,
      startTime,
      endTime: endTime + 1n,
    }));
  }

  /** Registers a channel and returns its id; ids count from 0. */
  addChannel({ topic, messageEncoding, schema, metadata }: ChannelSpec): number {
    const id = this.#channels.length;
    const known = schema ? this.#schemas.findIndex((each) => isSame(each, schema)) + 1 : 0;
    const schemaId = schema && known === 0 ? this.#schemas.push(schema) : known;
    const channel = { id, schemaId, topic, messageEncoding, metadata: new Map(metadata) };
    // Once by itself, so that a channel without messages is in the file, and once more in its first chunk:
    // a single damaged place does not make messages unreadable.
    const definition = new RecordEncoder();
    if (schema) definition.schema({ id: schemaId, ...schema });
    definition.channel(channel);
    const isCompressed = COMPRESSED_TYPE.test(schema?.name ?? '');
    const lane = this.#lanes[isCompressed ? this.#lanes.length - 1 : 0]!;
    this.#channels.push({ topic, lane, definition: definition.take() });
    this.#background(
      this.#part.append((assembler) => [
        ...(schema && known === 0 ? [assembler.schema({ id: schemaId, ...schema })] : []),
        assembler.channel(channel),
      ]),
    );
    return id;
  }

  /**
   * Takes a message; its bytes are copied before this returns.
   *
   * @returns undefined while there is room and the file keeps up, else a promise to await before the next
   * message; it rejects with a RecordError when the file cannot be written any more.
   */
  write(message: MessageToWrite): Promise<void> | undefined {
    if (this.#isEnded) throw new TypeError(`Cannot write to "${this.file}": it is closed.`);
    if (this.#part.failure) return this.#rejection(this.#part.failure);
    const channel = this.#channels[message.channelId];
    if (!channel) throw new RangeError(`Channel ${message.channelId} was not added to "${this.file}".`);
    const { chunkBytes } = this.#options;
    const { lane, definition } = channel;
    const bytes = MESSAGE_OVERHEAD_BYTES + message.data.byteLength + (definition?.byteLength ?? 0);
    if (lane.chunk && !lane.chunk.fits(bytes)) this.#seal(lane);
    lane.chunk ??= this.#openChunk(lane, Math.max(chunkBytes, bytes));
    if (definition) {
      lane.chunk.addRecord(definition);
      channel.definition = undefined;
    }
    lane.chunk.addMessage(message.channelId, message);
    this.#budget.add(bytes);
    if (lane.chunk.size >= chunkBytes) this.#seal(lane);
    if (!this.#budget.isExceeded) return undefined;
    if (this.#budget.isStuck) this.#sealAll();
    return this.#budget.room();
  }

  /** @throws {RecordError} also for a stream that breaks off or is not as long as it says; it ends the take. */
  addAttachment(attachment: Attachment | StreamedAttachment): Promise<void> {
    const { name, mediaType, logTime, data } = attachment;
    const isWhole = data instanceof Uint8Array;
    const dataBytes = 'dataBytes' in attachment ? attachment.dataBytes : attachment.data.byteLength;
    const fields = { name, mediaType, logTime, createTime: logTime, dataBytes };
    return this.#told(
      this.#part.appendBlocks((assembler) => assembler.attachment(fields, isWhole ? [data] : data)),
    );
  }

  /** Possible after a failure too, so that the ledger can name what was lost. */
  addMetadata(name: string, fields: ReadonlyMap<string, string>): Promise<void> {
    return this.#told(this.#part.append((assembler) => [assembler.metadata(name, fields)]));
  }

  /**
   * Closes the open chunks and waits until everything is in the file.
   *
   * @throws {RecordError} when it is not.
   */
  async flush(): Promise<void> {
    this.#sealAll();
    await this.#part.settled();
    if (this.#part.failure) await this.#rejection(this.#part.failure);
  }

  /**
   * Completes the file, forces it to disk (unless durability is `none`) and renames it. The writer is done then.
   *
   * @throws {RecordError} when the file could not be completed: the `.part` stays for recovery. Also, once
   * it is completed, for a failure that no call has told before.
   */
  async close(): Promise<ClosedEpisode> {
    this.#sealAll();
    this.#end();
    const episode = await this.#part.complete();
    if (this.#part.failure && !this.#isFailureTold) throw this.#part.failure;
    return episode;
  }

  /** Stops without completing: the `.part` file stays for recovery. */
  async abort(): Promise<void> {
    this.#end();
    await this.#part.abandon();
  }

  #openChunk(lane: Lane, bytes: number): ChunkBuilder {
    lane.openedMillis = performance.now();
    return new ChunkBuilder(this.#pool.take(bytes));
  }

  #seal(lane: Lane): void {
    const { chunk: builder, compression } = lane;
    if (!builder) return;
    lane.chunk = undefined;
    const chunk = builder.seal();
    const compressed = this.#compressions.run(() =>
      compress(compression, chunk.records, this.#options.level),
    );
    const written = this.#part.appendChunk(chunk, compressed);
    this.#budget.send(lane.openedMillis);
    const arrived = written.then(async () => {
      (await compressed).free?.();
      this.#pool.give(builder.buffer);
      this.#budget.arrive(chunk.uncompressedBytes);
      if (this.#budget.isStuck) this.#sealAll();
    });
    this.#background(arrived);
  }

  #sealAll(): void {
    for (const lane of this.#lanes) this.#seal(lane);
  }

  #tick(): void {
    const { chunkSecs, durability } = this.#options;
    const oldMillis = performance.now() - chunkSecs * 500;
    for (const lane of this.#lanes) if (lane.openedMillis <= oldMillis) this.#seal(lane);
    this.#budget.refresh();
    if (durability !== 'interval' || this.#isSyncing) return;
    this.#isSyncing = true;
    this.#background(
      this.#part.sync().finally(() => {
        this.#isSyncing = false;
      }),
    );
  }

  /** For work whose failure the next call tells: a waiting write() at once, else the one that comes. */
  #background(work: Promise<void>): void {
    work.catch((error: Error) => {
      if (this.#budget.fail(error)) this.#isFailureTold = true;
    });
  }

  #told(request: Promise<void>): Promise<void> {
    return request.catch((error: Error) => {
      this.#isFailureTold = true;
      throw error;
    });
  }

  #rejection(failure: RecordError): Promise<void> {
    return this.#told(Promise.reject(failure));
  }

  #end(): void {
    this.#isEnded = true;
    clearInterval(this.#ticker);
  }
}

function isSame(a: MessageSchema, b: MessageSchema): boolean {
  return a.name === b.name && a.encoding === b.encoding && Buffer.compare(a.data, b.data) === 0;
}
