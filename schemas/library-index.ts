import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { labelsFileOf } from './labels.ts';
import {
  checkedPart,
  findingsFileOf,
  type LibraryEntry,
  labelledPart,
  readCheckedPart,
  readLabelledPart,
  readRecordedPart,
  recordedPart,
  UNCHECKED,
  UNLABELLED,
} from './library-entry.ts';
import { Limit } from './limit.ts';
import { z } from './validation.ts';

/** Of what can be made again from the episodes, in their own folder; may be deleted at any time. */
export const CACHE_DIRECTORY = '.kinescribe';
const CACHE_FILE = join(CACHE_DIRECTORY, 'index.json');

/** A file is taken for unchanged while these are: the same rule as `make` and `rsync`. */
const stamp = { size: z.number(), mtimeMillis: z.number() };

const indexedSchema = z.object({
  recorded: recordedPart.extend(stamp),
  labelled: labelledPart.extend(stamp).optional(),
  checked: checkedPart.extend(stamp).optional(),
});

/** Written by this version alone; any other is thrown away and made again. */
const cacheSchema = z.object({
  kinescribeIndex: z.literal(1),
  episodes: z.record(z.string(), indexedSchema),
});

type Indexed = z.infer<typeof indexedSchema>;
type Stamp = { readonly size: number; readonly mtimeMillis: number };

/** Reading an episode's summary is mostly waiting for the disk. */
const READERS = 2 * availableParallelism();
/** A library that is being indexed for the first time is saved this often. */
const SAVE_MILLIS = 3000;

/**
 * What lists show of many episodes, without opening those that have not changed. The files are the truth: the
 * index may be thrown away at any time, and is kept in memory alone where it cannot be written.
 */
export class LibraryIndex {
  readonly #directory: string | undefined;
  #indexed = new Map<string, Indexed>();
  readonly #entries = new WeakMap<Indexed, LibraryEntry>();
  #loaded: Promise<void> | undefined;
  #savedAt = 0;

  /** @param directory the library in which the index outlives the process; undefined for episodes of none. */
  constructor(directory?: string) {
    this.#directory = directory;
  }

  /** The same object while nothing changes; undefined while it was not read yet. */
  get(file: string): LibraryEntry | undefined {
    const indexed = this.#indexed.get(file);
    if (!indexed) return undefined;
    const entry = this.#entries.get(indexed) ?? entryOf(indexed);
    this.#entries.set(indexed, entry);
    return entry;
  }

  /** Reads what has changed of these files and forgets all others. Runs of it must not overlap. */
  async refresh(files: readonly string[]): Promise<void> {
    this.#loaded ??= this.#load();
    await this.#loaded;
    const known = this.#indexed;
    const wanted = new Set(files);
    const present = await namesBeside(files);
    let hasChanged = false;
    for (const file of known.keys()) hasChanged = (!wanted.has(file) && known.delete(file)) || hasChanged;
    const readers = new Limit(READERS);
    await Promise.all(
      files.map((file) =>
        readers.run(async () => {
          const fresh = await reindex(file, known.get(file), present);
          if (fresh === known.get(file)) return;
          hasChanged = true;
          if (fresh) known.set(file, fresh);
          else known.delete(file);
          if (performance.now() - this.#savedAt > SAVE_MILLIS) await this.#save();
        }),
      ),
    );
    if (hasChanged) await this.#save();
  }

  async #load(): Promise<void> {
    this.#savedAt = performance.now();
    const directory = this.#directory;
    if (directory === undefined) return;
    try {
      const { episodes } = cacheSchema.parse(JSON.parse(await readFile(join(directory, CACHE_FILE), 'utf8')));
      this.#indexed = new Map(
        Object.entries(episodes).map(([name, indexed]) => [join(directory, name), indexed]),
      );
    } catch {
      // Missing, damaged or of another version: the files say it all again.
    }
  }

  async #save(): Promise<void> {
    this.#savedAt = performance.now();
    if (this.#directory === undefined) return;
    const episodes = Object.fromEntries(
      this.#indexed.entries().map(([file, indexed]) => [basename(file), indexed]),
    );
    const content = JSON.stringify({ kinescribeIndex: 1, episodes } satisfies z.infer<typeof cacheSchema>);
    const file = join(this.#directory, CACHE_FILE);
    const fresh = `${file}.${process.pid}`;
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(fresh, content);
      await rename(fresh, file);
    } catch {
      // A library that may only be read is indexed anew by each process.
    }
  }
}

function entryOf({ recorded, labelled, checked }: Indexed): LibraryEntry {
  const { size: bytes, mtimeMillis: _, ...facts } = recorded;
  const { outcome, quality, decision, note } = labelled ?? UNLABELLED;
  const { verdict } = checked ?? UNCHECKED;
  return { bytes, ...facts, outcome, quality, decision, note, verdict };
}

/** The same object where nothing has changed; undefined where the file has gone. */
async function reindex(
  file: string,
  known: Indexed | undefined,
  present: ReadonlySet<string>,
): Promise<Indexed | undefined> {
  const [recording, labels, findings] = await Promise.all(
    [file, labelsFileOf(file), findingsFileOf(file)].map((path) =>
      present.has(normalize(path)) ? stampOf(path) : undefined,
    ),
  );
  if (!recording) return undefined;
  const isSame =
    isEqual(known?.recorded, recording) &&
    isEqual(known?.labelled, labels) &&
    isEqual(known?.checked, findings);
  if (known && isSame) return known;
  const recorded = isEqual(known?.recorded, recording)
    ? known!.recorded
    : { ...(await readRecordedPart(file)), ...recording };
  return {
    recorded,
    ...(labels && { labelled: { ...(await readLabelledPart(file)), ...labels } }),
    ...(findings && { checked: { ...(await readCheckedPart(file)), ...findings } }),
  };
}

/** Everything in the folders of these files: asking for what is not there costs as much as for what is. */
async function namesBeside(files: readonly string[]): Promise<ReadonlySet<string>> {
  const directories = [...new Set(files.map((file) => dirname(file)))];
  const listed = await Promise.all(
    directories.map(async (directory) => {
      const names = await readdir(directory).catch(() => []);
      return names.map((name) => join(directory, name));
    }),
  );
  return new Set(listed.flat());
}

async function stampOf(file: string): Promise<Stamp | undefined> {
  const stats = await stat(file).catch(() => undefined);
  return stats && { size: stats.size, mtimeMillis: stats.mtimeMs };
}

function isEqual(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return a?.size === b?.size && a?.mtimeMillis === b?.mtimeMillis;
}
