import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import { type ParquetRow, readParquet, readParquetRows } from '../parquet-reader.ts';
import type { Faults } from './faults.ts';
import { CODEBASE_VERSION, INFO_FILE, TASKS_FILE } from './layout.ts';

/** One entry of `features` in `info.json`. */
export const featureSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().positive()).min(1),
  info: z.object({ 'video.codec': z.string().optional(), 'video.g': z.number().optional() }).optional(),
});

const infoSchema = z.object({
  codebase_version: z.literal(CODEBASE_VERSION),
  fps: z.int().positive(),
  total_episodes: countNumber,
  total_frames: countNumber,
  total_tasks: countNumber,
  data_path: z.string(),
  video_path: z.string().nullable(),
  features: z.record(z.string(), featureSchema),
});

const pandasSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text);
    } catch (cause) {
      context.addIssue(String(cause));
      return z.NEVER;
    }
  })
  .pipe(z.object({ index_columns: z.tuple([z.string()]) }));

export type LerobotInfo = z.infer<typeof infoSchema>;
export type LerobotFeature = z.infer<typeof featureSchema>;

/** A row of `meta/episodes`; a number that is missing there is NaN. */
export interface EpisodeEntry {
  readonly length: number;
  /** Rows of the dataset, half open. */
  readonly from: number;
  readonly to: number;
  readonly tasks: readonly string[];
  integer(column: string): number;
}

export interface LerobotMetadata {
  readonly info: LerobotInfo;
  readonly tasks: readonly string[];
  readonly episodes: readonly EpisodeEntry[];
}

/** @throws {DatasetError} when `meta/info.json` is not what LeRobot v3.0 asks for. */
export async function readInfo(directory: string): Promise<LerobotInfo> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(directory, INFO_FILE), 'utf8'));
  } catch (cause) {
    throw new DatasetError(`${INFO_FILE}: cannot be read (${cause}).`, { cause });
  }
  const { data, error } = infoSchema.safeParse(json);
  if (error) throw new DatasetError(`${INFO_FILE}: ${z.prettifyError(error)}`, { cause: error });
  return data;
}

/** The task texts in the order of their indices. LeRobot finds them as the index of a pandas frame. */
export async function readTasks(directory: string, faults: Faults): Promise<string[]> {
  const { metadata } = await readParquet(join(directory, TASKS_FILE));
  const rows = await readParquetRows(join(directory, TASKS_FILE));
  const { data } = pandasSchema.safeParse(metadata.get('pandas'));
  if (!data) faults.add(TASKS_FILE, 'has no pandas metadata that name one column as the index.');
  return rows.map((row, i) => {
    if (integer(row, 'task_index') !== i) {
      faults.addRow(TASKS_FILE, i, 'task_index', `task_index is ${row.task_index}, it must be ${i}.`);
    }
    return String(row[data?.index_columns[0] ?? 'task']);
  });
}

/** The rows of `meta/episodes`, over all its files; LeRobot takes row i as episode i. */
export async function readEpisodes(directory: string, faults: Faults): Promise<EpisodeEntry[]> {
  const entries: EpisodeEntry[] = [];
  for (const file of await filesBelow(directory, 'meta/episodes', '.parquet')) {
    for (const [i, row] of (await readParquetRows(join(directory, file))).entries()) {
      const of = (column: string) => integer(row, column);
      const entry = {
        length: of('length'),
        from: of('dataset_from_index'),
        to: of('dataset_to_index'),
        tasks: Array.isArray(row.tasks) ? row.tasks.map(String) : [],
        integer: of,
      };
      const expected = { episode_index: entries.length, dataset_from_index: entries.at(-1)?.to ?? 0 };
      for (const [column, value] of Object.entries(expected)) {
        if (of(column) === value) continue;
        faults.addRow(file, i, column, `${column} is ${row[column]}, it must be ${value}.`);
      }
      if (!(entry.length > 0) || entry.to - entry.from !== entry.length) {
        faults.addRow(
          file,
          i,
          'length',
          `length is ${row.length}, its rows are ${entry.from} to ${entry.to}.`,
        );
      }
      entries.push(entry);
    }
  }
  return entries;
}

/** A whole number of a row, whether stored as one or as a float; NaN where there is none. */
export function integer(row: ParquetRow, column: string): number {
  const value = row[column];
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN;
}

/** Files of a two-level folder in the order in which LeRobot reads them, relative to the dataset. */
export async function filesBelow(directory: string, folder: string, suffix: string): Promise<string[]> {
  const names = await readdir(join(directory, folder), { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith(suffix))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}
