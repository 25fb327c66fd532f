import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesBelow } from '../files-below.ts';

/** Where a Zarr hierarchy lies: keys such as `data/action/0.0`, each with its bytes. */
export interface ZarrSink {
  /** Each key once. */
  set(key: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Lets go of everything; what was written stays incomplete. */
  abort(): Promise<void>;
}

export interface ZarrSource {
  readonly keys: ReadonlySet<string>;
  /** @throws {DatasetError} when the bytes are not whole. */
  get(key: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A file per key, as zarr-python's `DirectoryStore`. */
export class DirectorySink implements ZarrSink {
  readonly #directory: string;
  readonly #made = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#directory, key);
    const folder = dirname(file);
    if (!this.#made.has(folder)) await mkdir(folder, { recursive: true });
    this.#made.add(folder);
    await writeFile(file, bytes, { flag: 'wx' });
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}
}

export async function openDirectory(directory: string): Promise<ZarrSource> {
  const keys = await filesBelow(directory);
  return {
    keys: new Set(keys),
    get: (key) => readFile(join(directory, key)),
    close: async () => {},
  };
}
