import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import { readLibrary } from '../schemas/library.ts';
import { watchFolder } from './folder-watch.ts';

/** A file that may be looked at. */
export interface ShelvedEpisode {
  /** The file's name without its suffix; numbered where two files share it. */
  readonly id: string;
  readonly file: string;
  /** The library it was found in; undefined for a file that was named by itself. */
  readonly folder: string | undefined;
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
  readonly #listeners = new Set<(episodeId: string) => void>();
  #unwatch: (() => void) | undefined;
  /** Those last listed, by id. */
  #listed: ReadonlyMap<string, ShelvedEpisode> = new Map();

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
      this.#paths.map(async ({ path, isFolder }) => {
        const files = isFolder ? (await readLibrary(path)).episodes : [path];
        return files.map((file) => [file, isFolder ? path : undefined] as const);
      }),
    );
    const taken = new Map<string, number>();
    const episodes = [...new Map(found.flat())].map(([file, folder]) => {
      const name = basename(file, EPISODE_SUFFIX);
      const count = (taken.get(name) ?? 0) + 1;
      taken.set(name, count);
      return { id: count === 1 ? name : `${name}-${count}`, file, folder };
    });
    this.#listed = new Map(episodes.map((episode) => [episode.id, episode]));
    return episodes;
  }

  /** The episode of this id, or the first one; undefined when there is none. */
  async find(id?: string | null): Promise<ShelvedEpisode | undefined> {
    const known = id ? this.#listed.get(id) : undefined;
    if (known && (await stat(known.file).catch(() => undefined))) return known;
    const episodes = await this.list();
    return id ? this.#listed.get(id) : episodes[0];
  }

  /**
   * Calls back with the id of an episode that appears, goes, or of which something new is said.
   *
   * @returns the end of it.
   */
  listen(changed: (episodeId: string) => void): () => void {
    this.#listeners.add(changed);
    this.#unwatch ??= this.#watch();
    return () => {
      this.#listeners.delete(changed);
      if (this.#listeners.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }

  #watch(): () => void {
    const directories = new Set(this.#paths.map(({ path, isFolder }) => (isFolder ? path : dirname(path))));
    const ends = [...directories].map((directory) =>
      watchFolder(directory, (name) => {
        // Files of one name in several folders: whoever looks at any of them looks again.
        for (const [id, { file }] of this.#listed) {
          if (basename(file, EPISODE_SUFFIX) === name) for (const changed of this.#listeners) changed(id);
        }
        if (!this.#listed.has(name)) for (const changed of this.#listeners) changed(name);
      }),
    );
    return () => {
      for (const end of ends) end();
    };
  }

  /** @throws {EpisodeError | UsageError} when the file cannot be read. */
  async borrow({ id, file, folder }: ShelvedEpisode): Promise<BorrowedEpisode> {
    const held = this.#open.get(file) ?? { reader: EpisodeReader.open(file), users: 0 };
    this.#open.set(file, held);
    held.users++;
    const giveBack = async () => {
      if (--held.users > 0) return;
      this.#open.delete(file);
      await (await held.reader).close();
    };
    try {
      return { id, file, folder, reader: await held.reader, [Symbol.asyncDispose]: giveBack };
    } catch (error) {
      this.#open.delete(file);
      throw error;
    }
  }
}
