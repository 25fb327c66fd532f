import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DATA_PATH, type Place, pathOf, placeOf } from './layout.ts';
import { type Column, ParquetFileWriter, type RowGroup } from './parquet-file.ts';

export interface DataFilesOptions {
  /** Folder of the dataset. */
  readonly directory: string;
  readonly columns: readonly Column[];
  /** A file that would grow to this many bytes before compression is closed and the next begun. */
  readonly maxBytes: number;
}

/**
 * The Parquet files under `data/`: whole episodes, each a row group of its own, so that filters can skip it. One that
 * does not fit into memory has several.
 */
export class DataFiles {
  readonly #options: DataFilesOptions;
  #file: ParquetFileWriter | undefined;
  #files = 0;

  constructor(options: DataFilesOptions) {
    this.#options = options;
  }

  /** @param bytes of all its numbers. @returns the file that is to hold the episode. */
  async beginEpisode(bytes: number): Promise<Place> {
    if (this.#file && this.#file.bytes + bytes >= this.#options.maxBytes) await this.#closeFile();
    const place = placeOf(this.#files);
    if (!this.#file) {
      const path = join(this.#options.directory, pathOf(DATA_PATH, place));
      await mkdir(dirname(path), { recursive: true });
      this.#file = new ParquetFileWriter(path, this.#options.columns);
    }
    return place;
  }

  /** Adds rows of the episode that was begun. */
  async append(group: RowGroup): Promise<void> {
    await this.#file?.append(group);
  }

  async finish(): Promise<void> {
    if (this.#file) await this.#closeFile();
  }

  async abort(): Promise<void> {
    await this.#file?.abort();
  }

  async #closeFile(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#files++;
  }
}
