import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { RecordError } from '../schemas/errors.ts';
import { labelsFileOf } from '../schemas/labels.ts';
import type { StorageStatus } from '../schemas/recording-control.ts';
import { FileGrowth } from './file-growth.ts';
import type { SourceWarning } from './source.ts';

/** Discarded takes go here, inside the library: an operator's mistake is never final. */
export const TRASH_FOLDER = 'trash';

/** A look at least this often leaves the reserve almost whole at 166 MB/s. */
const MAX_LOOK_MILLIS = 500;
/** Near the end looks are this close, so that a take uses what the forecast gave it. */
const MIN_LOOK_MILLIS = 50;
/** Looks from here to the end. */
const LOOKS_AHEAD = 40;

export interface StorageGuardOptions {
  /** Stays free; covers the queue and the summary of the running take, bytes. */
  readonly reserveBytes: number;
  /** Told before a discarded take is removed for good, and when the disk cannot be looked at. */
  readonly onWarning?: ((warning: SourceWarning) => void) | undefined;
}

/**
 * Watches the space of a library's file system. A reserve stays free, so that a running take can always be
 * completed; the trash is emptied, oldest first, before a take has to end.
 */
export class StorageGuard {
  readonly #directory: string;
  readonly #options: StorageGuardOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #freeBytes = Number.POSITIVE_INFINITY;
  #trashBytes = 0;
  #growth: FileGrowth | undefined;
  #bytesPerSec: number | undefined;
  #lastTakeBytes: number | undefined;

  constructor(directory: string, options: StorageGuardOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  get status(): StorageStatus {
    const beside = this.#freeBytes - this.#options.reserveBytes;
    const freeBytes = Math.max(0, beside + this.#trashBytes);
    const rate = this.#bytesPerSec;
    return {
      freeBytes,
      bytesPerSec: rate,
      secsLeft: rate ? freeBytes / rate : undefined,
      takesLeft: this.#lastTakeBytes ? Math.floor(freeBytes / this.#lastTakeBytes) : undefined,
      exhausted: freeBytes === 0,
    };
  }

  /** Looks at the disk now and from now on, until it is closed. */
  async open(): Promise<void> {
    await this.look();
    this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks at the disk, and makes room on it for the running take. */
  look(): Promise<StorageStatus> {
    return this.#look(this.#growth !== undefined);
  }

  async #look(needsRoom: boolean): Promise<StorageStatus> {
    this.#trashBytes = (await this.#trash()).reduce((sum, { bytes }) => sum + bytes, 0);
    await this.#measure();
    while (needsRoom && this.#freeBytes <= this.#options.reserveBytes && (await this.#emptyOldest())) {
      await this.#measure();
    }
    const rate = await this.#growth?.look(performance.now());
    if (rate !== undefined && rate > 0) this.#bytesPerSec = rate;
    return this.status;
  }

  /** @throws {RecordError} when a take like the last one would not fit. */
  async demandSpace(): Promise<void> {
    const { freeBytes, exhausted } = await this.#look(true);
    const lastBytes = this.#lastTakeBytes ?? 0;
    if (!exhausted && freeBytes > lastBytes) return;
    throw new RecordError(
      `Cannot start a take in "${this.#directory}": ${megabytes(freeBytes)} MB are free beside the reserve, ` +
        `the last take had ${megabytes(lastBytes)} MB. Make room on the disk and start again.`,
    );
  }

  /** @param part the file that grows from now on. */
  takeBegan(part: string): void {
    this.#growth = new FileGrowth(part);
  }

  /** @param bytes of the whole file; undefined when there is none. */
  takeEnded(bytes: number | undefined): void {
    this.#growth = undefined;
    this.#lastTakeBytes = bytes ?? this.#lastTakeBytes;
  }

  /** Moves an episode and its labels to the trash. @returns where the episode is now. */
  async discard(file: string): Promise<string> {
    const trash = join(this.#directory, TRASH_FOLDER);
    await mkdir(trash, { recursive: true });
    const target = join(trash, basename(file));
    await rename(file, target);
    await rename(labelsFileOf(file), labelsFileOf(target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error; // most takes are discarded without a word
    });
    return target;
  }

  #lookLater(): void {
    const { secsLeft = Number.POSITIVE_INFINITY } = this.status;
    const millis = this.#growth ? (secsLeft * 1000) / LOOKS_AHEAD : MAX_LOOK_MILLIS;
    const wait = Math.min(MAX_LOOK_MILLIS, Math.max(MIN_LOOK_MILLIS, millis));
    this.#timer = setTimeout(async () => {
      await this.look().catch((error: Error) => {
        const message = `Cannot see how much space is left in "${this.#directory}": ${error.message}.`;
        this.#options.onWarning?.({ kind: 'storage-unknown', message });
      });
      if (!this.#isClosed) this.#lookLater();
    }, wait).unref();
  }

  async #measure(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#freeBytes = bavail * bsize;
  }

  /** Discarded takes, oldest first. */
  async #trash(): Promise<readonly { readonly file: string; readonly bytes: number }[]> {
    const trash = join(this.#directory, TRASH_FOLDER);
    const names = await readdir(trash).catch(() => []); // nothing was ever discarded
    const files = names.filter((name) => name.endsWith(EPISODE_SUFFIX)).map((name) => join(trash, name));
    const found = await Promise.all(
      files.map(async (file) => {
        const { size, mtimeMs } = await stat(file);
        return { file, bytes: size, mtimeMs };
      }),
    );
    return found.sort((a, b) => a.mtimeMs - b.mtimeMs);
  }

  async #emptyOldest(): Promise<boolean> {
    const [oldest] = await this.#trash();
    if (!oldest) return false;
    const { file, bytes } = oldest;
    const message = `The disk is nearly full: removing discarded take "${file}".`;
    this.#options.onWarning?.({ kind: 'trash-emptied', message });
    await rm(file);
    await rm(labelsFileOf(file), { force: true });
    this.#trashBytes = Math.max(0, this.#trashBytes - bytes);
    return true;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
