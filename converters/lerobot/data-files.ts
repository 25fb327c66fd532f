import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DATA_PATH, type Place, pathOf, placeOf } from './layout.ts';
import { type Column, type ColumnRows, ParquetFile } from './parquet-file.ts';

export interface DataFilesOptions {
  /** Folder of the dataset. */
  readonly directory: string;
  readonly columns: readonly Column[];
  /** A file that would grow to this many bytes before compression is closed and the next begun. */
  readonly maxBytes: number;
}

/** The Parquet files under `data/`: whole episodes, each a row group of its own, so that filters can skip it. */
export class DataFiles {
  readonly #options: DataFilesOptions;
  #file: ParquetFile;
  #files = 0;

  constructor(options: DataFilesOptions) {
    this.#options = options;
    this.#file = new ParquetFile(options.columns);
  }

  /** @returns the file that holds the episode. */
  async append(rows: number, values: readonly ColumnRows[]): Promise<Place> {
    const bytes = values.reduce((sum, column) => sum + ('byteLength' in column ? column.byteLength : 0), 0);
    if (this.#file.bytes > 0 && this.#file.bytes + bytes >= this.#options.maxBytes) await this.#closeFile();
    this.#file.append(rows, values);
    return placeOf(this.#files);
  }

  async finish(): Promise<void> {
    if (this.#file.bytes > 0) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const path = join(this.#options.directory, pathOf(DATA_PATH, placeOf(this.#files)));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, this.#file.encode());
    this.#file = new ParquetFile(this.#options.columns);
    this.#files++;
  }
}
