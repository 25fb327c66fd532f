import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { findingsFileOf } from '../schemas/findings-file.ts';
import { labelsFileOf } from '../schemas/labels.ts';
import type { StorageStatus } from '../schemas/recording-control.ts';

/** Discarded takes go here, inside the library: an operator's mistake is never final. */
export const TRASH_FOLDER = 'trash';

/**
 * Watches the space of a library's file system. A reserve stays free, so that a running take can always be
 * completed; the trash is emptied, oldest first, before a take has to end.
 */
export class StorageGuard {
  readonly #directory: string;
  readonly #reserveBytes: number;
  readonly #onEmptied: (file: string) => void;
  #freeBytes = Number.POSITIVE_INFINITY;
  #bytesPerSec: number | undefined;

  /**
   * @param reserveBytes stays free; covers the queue and the summary of the running take.
   * @param onEmptied told of each discarded take before it is removed for good.
   */
  constructor(directory: string, reserveBytes: number, onEmptied: (file: string) => void) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
    this.#onEmptied = onEmptied;
  }

  get status(): StorageStatus {
    const freeBytes = Math.max(0, this.#freeBytes - this.#reserveBytes);
    const rate = this.#bytesPerSec;
    return {
      freeBytes,
      bytesPerSec: rate,
      secsLeft: rate ? freeBytes / rate : undefined,
      exhausted: freeBytes === 0,
    };
  }

  /** Looks at the disk. @param bytesPerSec of the running take, when there is one. */
  async look(bytesPerSec?: number): Promise<StorageStatus> {
    if (bytesPerSec !== undefined && bytesPerSec > 0) this.#bytesPerSec = bytesPerSec;
    await this.#measure();
    while (this.status.exhausted && (await this.#emptyOldest())) await this.#measure();
    return this.status;
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
    await rm(findingsFileOf(file), { force: true }); // can be made again
    return target;
  }

  async #measure(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#freeBytes = bavail * bsize;
  }

  async #emptyOldest(): Promise<boolean> {
    const trash = join(this.#directory, TRASH_FOLDER);
    const names = await readdir(trash).catch(() => []); // nothing was ever discarded
    const episodes = names.filter((name) => name.endsWith(EPISODE_SUFFIX)).map((name) => join(trash, name));
    const ages = await Promise.all(episodes.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })));
    const oldest = ages.sort((a, b) => a.at - b.at)[0];
    if (!oldest) return false;
    this.#onEmptied(oldest.file);
    await rm(oldest.file);
    await rm(labelsFileOf(oldest.file), { force: true });
    return true;
  }
}
