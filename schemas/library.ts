import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EPISODE_SUFFIX, PART_SUFFIX } from './episode.ts';
import { UsageError } from './errors.ts';

/** A folder of episodes. The folder is the truth: whatever `.mcap` lies in it belongs to it. */
export interface Library {
  readonly directory: string;
  /** Paths of the finished episodes, in order of name. */
  readonly episodes: readonly string[];
  /** Paths of episodes whose recording never ended properly. */
  readonly unfinished: readonly string[];
}

/** @throws {UsageError} when the folder cannot be read. */
export async function readLibrary(directory: string): Promise<Library> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    throw new UsageError(`Cannot read library "${directory}": ${(cause as Error).message}.`, { cause });
  }
  const paths = names.sort().map((name) => join(directory, name));
  return {
    directory,
    episodes: paths.filter((path) => path.endsWith(EPISODE_SUFFIX)),
    unfinished: paths.filter((path) => path.endsWith(PART_SUFFIX)),
  };
}

/**
 * The episode files that a command line names: a file stands for itself, a folder for its episodes.
 *
 * @throws {UsageError} when a path does not exist or a folder holds no episode.
 */
export async function episodesAt(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const kind = await stat(path).catch((cause: Error) => {
        throw new UsageError(
          `Cannot open "${path}": ${cause.message}. Name an episode or a folder of episodes.`,
          {
            cause,
          },
        );
      });
      if (!kind.isDirectory()) return [path];
      const { episodes, unfinished } = await readLibrary(path);
      if (episodes.length > 0) return episodes;
      const hint =
        unfinished.length > 0
          ? `${unfinished.length} unfinished; run "kinescribe recover" on them`
          : 'no ".mcap" file';
      throw new UsageError(`Cannot find an episode in folder "${path}": ${hint}.`);
    }),
  );
  return found.flat();
}

/** Makes the folder if need be and reads it. */
export async function openLibrary(directory: string): Promise<Library> {
  await mkdir(directory, { recursive: true });
  return readLibrary(directory);
}

/**
 * `<contract>-0007`: one more than the highest number that any file in the folder or below it bears, so
 * that a take in the trash keeps its name to itself.
 */
export async function nextEpisodeId(directory: string, contractName: string): Promise<string> {
  const paths = await readdir(directory, { recursive: true });
  const pattern = new RegExp(`^${contractName}-(\\d+)\\.`);
  const highest = Math.max(0, ...paths.map((path) => Number(pattern.exec(basename(path))?.[1] ?? 0)));
  return `${contractName}-${String(highest + 1).padStart(4, '0')}`;
}
