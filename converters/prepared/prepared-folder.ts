import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../schemas/errors.ts';
import { isOwnerAlive, ownerFields } from '../../schemas/part-owner.ts';
import { filesBelow } from '../files-below.ts';
import { formName, type PictureForm } from './picture-form.ts';
import { recordingPart } from './prepare-episode.ts';
import { openPrepared, type PreparedEpisode } from './prepared-episode.ts';

/** Beside the datasets: the prepared episodes of the latest conversion. */
export const PREPARED = '.prepared';
const OWNER_FILE = 'owner.json';
/** Of the files in a prepared episode; raised when they change. */
const LAYOUT = 3;

export interface Recipe {
  readonly contractDigest: string;
  readonly version: string;
  readonly forms: readonly PictureForm[];
}

/**
 * The folder of prepared episodes beside the datasets that are made of them. What lies in it was made by one
 * recipe, and the name of each episode says what of: whatever is found there can be used as it is. While a
 * conversion runs the folder is its alone.
 */
export class PreparedFolder implements AsyncDisposable {
  /** Folder of the episodes that this recipe gives. */
  readonly root: string;
  readonly #directory: string;

  private constructor(directory: string, recipe: string) {
    this.#directory = directory;
    this.root = join(directory, recipe);
  }

  /**
   * @param reuse whether episodes that were prepared before are kept.
   * @throws {UsageError} when another conversion writes into the folder.
   */
  static async claim(
    datasets: string,
    { reuse, ...recipe }: Recipe & { readonly reuse: boolean },
  ): Promise<PreparedFolder> {
    const directory = join(datasets, PREPARED);
    await mkdir(directory, { recursive: true });
    await claimOwnership(datasets, join(directory, OWNER_FILE));
    const folder = new PreparedFolder(directory, recipeName(recipe));
    for (const name of await readdir(directory)) {
      const isKept = name === OWNER_FILE || (reuse && join(directory, name) === folder.root);
      if (!isKept) await rm(join(directory, name), { recursive: true });
    }
    await mkdir(folder.root, { recursive: true });
    await folder.#removeParts();
    return folder;
  }

  /** The episodes of one recording. @throws {TypeError} when it was not prepared. */
  async open(name: string): Promise<readonly PreparedEpisode[]> {
    const episodes = await openPrepared(join(this.root, name));
    if (!episodes) throw new TypeError(`"${name}" was not prepared`);
    return episodes;
  }

  /** Name of a recording that was prepared and is not at hand. */
  async find(digest: string): Promise<string | undefined> {
    const names = await readdir(this.root);
    const found = names.filter((name) => name.startsWith(recordingPart(digest)) && !name.endsWith('.part'));
    for (const name of found) if (await openPrepared(join(this.root, name))) return name;
    return undefined;
  }

  /** Removes all but some recordings. */
  async keepOnly(names: readonly string[]): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (!names.includes(name)) await rm(join(this.root, name), { recursive: true });
    }
  }

  /** Removes what no writer asks for again of a recording: all but videos, of which several become one file. */
  async discard(name: string): Promise<void> {
    // What tells that it is whole goes before its numbers.
    for (const path of await filesBelow(join(this.root, name))) {
      if (!path.endsWith('.mp4')) await rm(join(this.root, name, path));
    }
  }

  /** What a conversion that was killed left in the middle of. */
  async #removeParts(): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (name.endsWith('.part')) await rm(join(this.root, name), { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }

  /** Lets others write. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(join(this.#directory, OWNER_FILE), { force: true });
  }
}

function recipeName({ contractDigest, version, forms }: Recipe): string {
  const parts = [LAYOUT, contractDigest, version, ...forms.map(formWithFrames)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function formWithFrames(form: PictureForm): string {
  return form.kind === 'jpeg' ? `${formName(form)}-${form.frames}` : formName(form);
}

async function claimOwnership(datasets: string, file: string): Promise<void> {
  const mine = JSON.stringify([...(await ownerFields())]);
  try {
    await writeFile(file, mine, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const fields = await readFile(file, 'utf8').then(parseFields, () => undefined);
    if (fields && (await isOwnerAlive(fields))) {
      throw new UsageError(
        `Cannot convert into "${datasets}": another conversion is writing there (process ${fields.get('pid')}). ` +
          'Wait for its end, or choose another folder.',
      );
    }
    await writeFile(file, mine);
  }
}

/** @returns undefined for a file that was never finished. */
function parseFields(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const entries: unknown = JSON.parse(text);
    return Array.isArray(entries) ? new Map(entries) : undefined;
  } catch {
    return undefined;
  }
}
