import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { DatasetError } from '../schemas/errors.ts';

export interface ParquetTable {
  /** Names of the columns at the top level, in their order. */
  readonly columns: readonly string[];
  readonly rowCount: number;
  /** The file's own key-value pairs. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The rows in order, a row group at a time. @throws {DatasetError} at one that cannot be read. */
  batches(options?: { readonly columns?: readonly string[] }): AsyncGenerator<readonly ParquetRow[]>;
  /** Rows from one on and up to another. @throws {DatasetError} when they cannot be read. */
  rows(range: {
    readonly from: number;
    readonly to: number;
    readonly columns: readonly string[];
  }): Promise<readonly ParquetRow[]>;
}

/** One row by column; int64 is bigint, lists are arrays. */
export type ParquetRow = Readonly<Record<string, unknown>>;

/**
 * Opens a Parquet file, with a library other than the one that writes it.
 *
 * @throws {DatasetError} when it cannot be read.
 */
export async function readParquet(path: string): Promise<ParquetTable> {
  const failed = (cause: unknown) =>
    new DatasetError(`Cannot read "${path}": it is no sound Parquet file (${cause}).`, { cause });
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const read = async (range: { rowStart: number; rowEnd: number; columns?: string[] }) => {
      try {
        // Texts are declared as such; what is not are the bytes of pictures.
        return await parquetReadObjects({ file, metadata, ...range, utf8: false });
      } catch (cause) {
        throw failed(cause);
      }
    };
    const [root, ...elements] = metadata.schema;
    return {
      columns: topLevel(elements, root?.num_children ?? 0),
      rowCount: Number(metadata.num_rows),
      metadata: new Map(metadata.key_value_metadata?.map(({ key, value = '' }) => [key, value])),
      rows: ({ from, to, columns }) => read({ rowStart: from, rowEnd: to, columns: [...columns] }),
      async *batches({ columns } = {}) {
        let rowStart = 0;
        for (const { num_rows } of metadata.row_groups) {
          const rowEnd = rowStart + Number(num_rows);
          yield await read({ rowStart, rowEnd, ...(columns && { columns: [...columns] }) });
          rowStart = rowEnd;
        }
      },
    };
  } catch (cause) {
    throw failed(cause);
  }
}

/** All rows of a file that is small. */
export async function readParquetRows(path: string): Promise<readonly ParquetRow[]> {
  const rows: ParquetRow[] = [];
  for await (const batch of (await readParquet(path)).batches()) rows.push(...batch);
  return rows;
}

/** The schema lies flat: each element is followed by its descendants. */
function topLevel(elements: readonly { name: string; num_children?: number }[], count: number): string[] {
  const names: string[] = [];
  let at = 0;
  const skip = () => {
    for (let left = elements[at++]!.num_children ?? 0; left > 0; left--) skip();
  };
  while (names.length < count) {
    names.push(elements[at]!.name);
    skip();
  }
  return names;
}
