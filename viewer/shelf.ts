import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import { readLibrary } from '../schemas/library.ts';

/** A file that may be looked at. */
export interface ShelvedEpisode {
  /** The file's name without its suffix; numbered where two files share it. */
  readonly id: string;
  readonly file: string;
}

/** A reader in use; give it back when done. */
export interface BorrowedEpisode extends ShelvedEpisode, AsyncDisposable {
  readonly reader: EpisodeReader;
}

/**
 * The episodes that are served: files, and folders that are read again each time so that new takes
 * appear. Nothing else on the disk can be named. Readers are shared and closed with their last user.
 */
export class EpisodeShelf {
  readonly #paths: readonly { readonly path: string; readonly isFolder: boolean }[];
  readonly #open = new Map<string, { reader: Promise<EpisodeReader>; users: number }>();

  /** @throws {UsageError} when a path does not exist. */
  static async of(paths: readonly string[]): Promise<EpisodeShelf> {
    return new EpisodeShelf(
      await Promise.all(
        paths.map(async (path) => {
          const stats = await stat(path).catch((cause: Error) => {
            throw new UsageError(`Cannot view "${path}": ${cause.message}.`, { cause });
          });
          return { path, isFolder: stats.isDirectory() };
        }),
      ),
    );
  }

  private constructor(paths: readonly { path: string; isFolder: boolean }[]) {
    this.#paths = paths;
  }

  /** In the order in which the paths were given; within a folder by name. */
  async list(): Promise<readonly ShelvedEpisode[]> {
    const found = await Promise.all(
      this.#paths.map(async ({ path, isFolder }) => (isFolder ? (await readLibrary(path)).episodes : [path])),
    );
    const files = [...new Set(found.flat())];
    const taken = new Map<string, number>();
    return files.map((file) => {
      const name = basename(file, EPISODE_SUFFIX);
      const count = (taken.get(name) ?? 0) + 1;
      taken.set(name, count);
      return { id: count === 1 ? name : `${name}-${count}`, file };
    });
  }

  /** The episode of this id, or the first one; undefined when there is none. */
  async find(id?: string | null): Promise<ShelvedEpisode | undefined> {
    const episodes = await this.list();
    return id ? episodes.find((episode) => episode.id === id) : episodes[0];
  }

  /** @throws {EpisodeError | UsageError} when the file cannot be read. */
  async borrow({ id, file }: ShelvedEpisode): Promise<BorrowedEpisode> {
    const held = this.#open.get(file) ?? { reader: EpisodeReader.open(file), users: 0 };
    this.#open.set(file, held);
    held.users++;
    const giveBack = async () => {
      if (--held.users > 0) return;
      this.#open.delete(file);
      await (await held.reader).close();
    };
    try {
      return { id, file, reader: await held.reader, [Symbol.asyncDispose]: giveBack };
    } catch (error) {
      this.#open.delete(file);
      throw error;
    }
  }
}
