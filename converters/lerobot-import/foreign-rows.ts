import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { secsToNanos, tickTime } from '../../schemas/time.ts';
import { integer } from '../lerobot/read-metadata.ts';
import { type ParquetRow, readParquet } from '../parquet-reader.ts';
import { TICK_TIME_COLUMN } from './feature-topics.ts';
import type { ForeignEpisode, LerobotDataset } from './lerobot-dataset.ts';

/**
 * The rows of one data file, in its order, one episode at a time.
 *
 * @throws {DatasetError} when the file is missing or damaged.
 */
export async function* rowsOf(
  { directory }: LerobotDataset,
  file: string,
): AsyncGenerator<{ readonly index: number; readonly rows: readonly ParquetRow[] }> {
  await access(join(directory, file)).catch((cause) => {
    throw new DatasetError(`Cannot read "${file}": it is missing.`, { cause });
  });
  let rows: ParquetRow[] = [];
  let index = Number.NaN;
  for await (const batch of (await readParquet(join(directory, file))).batches()) {
    for (const row of batch) {
      const own = integer(row, 'episode_index');
      if (own !== index && rows.length > 0) yield { index, rows };
      if (own !== index) rows = [];
      index = own;
      rows.push(row);
    }
  }
  if (rows.length > 0) yield { index, rows };
}

/** @throws {DatasetError} when an episode has not as many rows as the dataset says. */
export function checkRows(rows: readonly ParquetRow[], { index, frames, dataFile }: ForeignEpisode): void {
  if (rows.length === frames) return;
  throw new DatasetError(
    `Cannot read episode ${index}: it has ${frames} frames by the dataset's metadata, but "${dataFile}" holds ${rows.length}.`,
  );
}

/** A dataset does not say when it was recorded: the beginning of 2000, seconds. Episodes lie an hour apart. */
const FIRST_START = Date.UTC(2000, 0, 1) / 1000;
const EPISODE_SECS = 3600;
/** A timestamp is a float32 beside its frame's place on the grid. */
const GRID_SECS = 1e-3;

/** When each row was: by the real time that datasets of Kinescribe carry, else by the dataset's own timestamps. */
export function rowTimes(
  rows: readonly ParquetRow[],
  { index, fps }: { readonly index: number; readonly fps: number },
): bigint[] {
  const start = secsToNanos(FIRST_START + index * EPISODE_SECS);
  return rows.map((row, i) => {
    const real = row[TICK_TIME_COLUMN];
    if (typeof real === 'bigint') return real;
    const stamp = row.timestamp;
    const isOnGrid = typeof stamp !== 'number' || !(Math.abs(stamp - i / fps) > GRID_SECS);
    return isOnGrid ? tickTime(start, i, fps) : start + secsToNanos(stamp);
  });
}
