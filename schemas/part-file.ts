import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppendFile } from './append-file.ts';
import type { ChannelShare } from './chunk-builder.ts';
import type { StoredRecords } from './chunk-codec.ts';
import { RecordError } from './errors.ts';
import { type ChunkToPlace, McapAssembler } from './mcap-assembler.ts';

export interface ClosedEpisode {
  readonly file: string;
  readonly bytes: number;
  readonly messageCount: number;
}

/**
 * What a loss of power costs. `chunk`: every chunk is forced to disk before the next; `interval`: forced
 * several times a second, so that at most one second is lost; `none`: whatever the system had not written.
 * A crash of the program alone costs the open chunks in every case.
 */
export type Durability = 'none' | 'chunk' | 'interval';

export interface PartFileOptions {
  /** Name of the file while it is incomplete. @default `<file>.part` */
  readonly part?: string;
  /** @default 'interval' */
  readonly durability?: Durability;
}

/** Room for the ledger and the like in a file that ends because the disk is full. */
const RESERVED_BYTES = 256 * 1024;
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** A disk that failed, was made room on and failed once more is given up. */
const MAX_SALVAGES = 2;

/**
 * An MCAP file under another name, until complete() gives it its own. Appends happen in the order
 * of the calls. The first write that fails is the end of messages: the file is cut behind the last chunk
 * that is whole, and what comes then is metadata and the summary.
 */
export class PartFile {
  readonly file: string;
  readonly #part: string;
  readonly #durability: Durability;
  readonly #out: AppendFile;
  readonly #assembler = new McapAssembler();
  /** Steps that place records, one after the other; never rejects. */
  #tail: Promise<void> = Promise.resolve();
  #failure: RecordError | undefined;
  #salvages = 0;
  #isSalvaging = false;
  readonly #lost: [channelId: number, share: ChannelShare][] = [];

  /** @throws the system's error when the file or its part exists or cannot be made. */
  static async create(
    file: string,
    { part = `${file}.part`, durability = 'interval' }: PartFileOptions,
  ): Promise<PartFile> {
    if (await exists(file)) throw new RangeError(`file exists, "${file}"`);
    const out = await AppendFile.create(part, { syncEach: durability === 'chunk' });
    return new PartFile(file, part, durability, out);
  }

  private constructor(file: string, part: string, durability: Durability, out: AppendFile) {
    this.file = file;
    this.#part = part;
    this.#durability = durability;
    this.#out = out;
  }

  /** The first fault of the disk. */
  get failure(): RecordError | undefined {
    return this.#failure;
  }

  /** What each channel lost to it, chunk by chunk; complete when settled() has resolved. */
  get lost(): readonly (readonly [channelId: number, share: ChannelShare])[] {
    return this.#lost;
  }

  /**
   * Appends the records that `place` gives; resolves when they are in the file. After a failure this is
   * still tried, behind the cut.
   *
   * @throws {RecordError} when they are not.
   */
  append(place: (assembler: McapAssembler) => readonly Uint8Array[]): Promise<void> {
    return this.#enqueue(async () => [this.#out.append(place(this.#assembler))]);
  }

  /** As append(), one block after the other and nothing in between. */
  appendBlocks(place: (assembler: McapAssembler) => AsyncIterable<Uint8Array>): Promise<void> {
    return this.#enqueue(async () => {
      for await (const block of place(this.#assembler)) await this.#out.append([block]);
      return [];
    });
  }

  /** @throws {RecordError} when the chunk is not in the file; it is counted in {@link lost} then. */
  appendChunk(chunk: ChunkToPlace, stored: Promise<StoredRecords>): Promise<void> {
    stored.catch(() => {}); // it is awaited in its turn
    return this.#enqueue(async () => {
      try {
        const records = await stored;
        if (this.#failure) throw this.#failure;
        // Its writing is not awaited in here: the next chunk is placed meanwhile.
        return [this.#out.append(this.#assembler.chunk(chunk, records))];
      } catch (cause) {
        this.#lost.push(...chunk.shares);
        throw cause;
      }
    });
  }

  /** Waits until every append so far has succeeded or failed. */
  async settled(): Promise<void> {
    await this.append(() => []).catch(() => {}); // told by `failure`
    await this.#tail;
  }

  /** @throws {RecordError} when the disk refuses. */
  async sync(): Promise<void> {
    await this.#out.sync().catch((cause: Error) => {
      throw this.#fail(cause);
    });
  }

  /**
   * Writes the summary, forces everything to disk unless told not to, and renames the file.
   *
   * @throws {RecordError} when that is impossible; the part stays then.
   */
  async complete(): Promise<ClosedEpisode> {
    try {
      await this.settled();
      await this.#appendEnd();
      if (this.#durability !== 'none') await this.#out.sync();
      await this.#out.close();
      await rename(this.#part, this.file);
      if (this.#durability !== 'none') await syncDirectory(dirname(this.file));
    } catch (cause) {
      await this.abandon();
      throw new RecordError(
        `Cannot complete episode "${this.file}": ${(cause as Error).message}. ` +
          `Run "kinescribe recover ${this.#part}" when the disk works again.`,
        { cause },
      );
    }
    const { messageCount } = this.#assembler.statistics();
    return { file: this.file, bytes: this.#out.writtenBytes, messageCount };
  }

  /** Closes the file as it is; the part stays. */
  async abandon(): Promise<void> {
    await this.settled();
    await this.#out.close();
  }

  /** Closes the file and removes it. */
  async discard(): Promise<void> {
    await this.abandon();
    await rm(this.#part, { force: true });
  }

  /** The summary itself may be what no longer fits; room is made for it then. */
  async #appendEnd(): Promise<void> {
    for (;;) {
      const salvages = this.#salvages;
      try {
        await this.append((assembler) => [assembler.end()]);
        return;
      } catch (error) {
        await this.#tail;
        if (this.#salvages === salvages) throw error;
      }
    }
  }

  async #enqueue(step: () => Promise<readonly Promise<void>[]>): Promise<void> {
    const placed = this.#tail.then(step);
    this.#tail = placed.then(
      () => {},
      () => {}, // told to the caller below
    );
    try {
      await Promise.all(await placed);
    } catch (cause) {
      throw this.#fail(cause as Error);
    }
  }

  #fail(cause: Error): RecordError {
    this.#failure ??= new RecordError(
      `Cannot write to "${this.#part}": ${cause.message}. The take ends here; close it to keep what was written.`,
      { cause },
    );
    if (cause !== this.#failure && !this.#isSalvaging && this.#salvages < MAX_SALVAGES) {
      this.#isSalvaging = true;
      this.#tail = this.#tail.then(() => this.#salvage(cause));
    }
    return this.#failure;
  }

  /** Cuts off what was not written whole and, on a full disk, what it takes to fit in the end. */
  async #salvage(cause: NodeJS.ErrnoException): Promise<void> {
    this.#salvages++;
    try {
      await this.#out.append([]).catch(() => {}); // nothing is being written any more
      const reserved = DISK_FULL.has(cause.code ?? '') ? RESERVED_BYTES : 0;
      const { offset, chunks, records } = this.#assembler.takeBack(this.#out.writtenBytes, reserved);
      for (const { shares } of chunks) this.#lost.push(...shares);
      await this.#out.restartAt(offset);
      await this.#out.append(records);
    } catch {
      // The file refuses still: the next append meets the same fault and reports it.
    }
    this.#isSalvaging = false;
  }
}

/** A rename is durable only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
