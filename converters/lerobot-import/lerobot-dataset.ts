import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DatasetError, UsageError } from '../../schemas/errors.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import { Faults } from '../lerobot/faults.ts';
import { INFO_FILE } from '../lerobot/layout.ts';
import { filesBelow, integer, readTasks } from '../lerobot/read-metadata.ts';
import { EPISODES_FILE, TASKS_FILE } from '../lerobot-v21/layout.ts';
import { readParquetRows } from '../parquet-reader.ts';

const featureSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  names: z.unknown().optional(),
  info: z.record(z.string(), z.unknown()).nullish(),
});

const infoSchema = z.object({
  codebase_version: z.enum(['v2.1', 'v3.0'], 'must be "v2.1" or "v3.0"; LeRobot converts older datasets'),
  robot_type: z.string().nullish(),
  fps: z.number().positive(),
  total_episodes: countNumber,
  chunks_size: z.int().positive(),
  data_path: z.string(),
  video_path: z.string().nullish(),
  features: z.record(z.string(), featureSchema),
});

const episodeLineSchema = z.object({ episode_index: countNumber, length: countNumber });
const taskLineSchema = z.object({ task_index: countNumber, task: z.string() });

/** One entry of `features` in `info.json`, whoever wrote it. */
export type ForeignFeature = Readonly<z.infer<typeof featureSchema>>;

/** Where an episode lies; files are relative to the dataset. */
export interface ForeignEpisode {
  readonly index: number;
  readonly frames: number;
  readonly dataFile: string;
  /** File of a camera and the episode's first frame in it. */
  video(key: string): { readonly file: string; readonly firstFrame: number };
}

/** A LeRobot dataset of either version, by whomever it was made. */
export interface LerobotDataset {
  readonly directory: string;
  /** Its folder's. */
  readonly name: string;
  readonly version: 'v2.1' | 'v3.0';
  readonly robot: string;
  readonly fps: number;
  readonly features: ReadonlyMap<string, ForeignFeature>;
  /** Instructions by their index. */
  readonly tasks: ReadonlyMap<number, string>;
  readonly episodes: readonly ForeignEpisode[];
}

/**
 * @throws {UsageError} when the folder, or a file of its metadata, is not there.
 * @throws {DatasetError} when it is no sound LeRobot v2.1 or v3.0 dataset.
 */
export async function openLerobotDataset(directory: string): Promise<LerobotDataset> {
  const info = parse(infoSchema, INFO_FILE, await textOf(directory, INFO_FILE));
  const version = info.codebase_version;
  const template = (path: string, values: Readonly<Record<string, string | number>>) =>
    path.replace(/\{(\w+)(?::0(\d)d)?\}/g, (_, name: string, digits = '0') =>
      String(values[name] ?? '').padStart(Number(digits), '0'),
    );
  const isOld = version === 'v2.1';
  const of = { directory, template, info };
  return {
    ...{ directory, name: basename(resolve(directory)), version, fps: info.fps },
    robot: info.robot_type || 'unknown',
    features: new Map(Object.entries(info.features)),
    tasks: isOld ? await tasksOfLines(directory) : await tasksOfTable(directory),
    episodes: isOld ? await episodesOfLines(of) : await episodesOfTable(of),
  };
}

interface Reading {
  readonly directory: string;
  readonly info: z.infer<typeof infoSchema>;
  readonly template: (path: string, values: Readonly<Record<string, string | number>>) => string;
}

async function episodesOfLines({ directory, info, template }: Reading): Promise<ForeignEpisode[]> {
  const lines = await linesOf(directory, EPISODES_FILE, episodeLineSchema);
  return lines.map(({ episode_index: index, length: frames }) => {
    const values = { episode_index: index, episode_chunk: Math.floor(index / info.chunks_size) };
    return {
      ...{ index, frames, dataFile: template(info.data_path, values) },
      video: (key) => ({
        file: template(info.video_path ?? '', { ...values, video_key: key }),
        firstFrame: 0,
      }),
    };
  });
}

async function episodesOfTable({ directory, info, template }: Reading): Promise<ForeignEpisode[]> {
  const files = await filesBelow(directory, 'meta/episodes', '.parquet');
  const rows = (await Promise.all(files.map((file) => readParquetRows(join(directory, file))))).flat();
  return rows.map((row) => {
    const number = (column: string) => {
      const value = integer(row, column);
      if (value >= 0) return value;
      throw new DatasetError(
        `Cannot read "${directory}": column "${column}" of meta/episodes must hold numbers, found ${row[column]}.`,
      );
    };
    const place = (path: string) => ({
      chunk_index: number(`${path}/chunk_index`),
      file_index: number(`${path}/file_index`),
    });
    return {
      index: number('episode_index'),
      frames: number('length'),
      dataFile: template(info.data_path, place('data')),
      video: (key) => ({
        file: template(info.video_path ?? '', { ...place(`videos/${key}`), video_key: key }),
        firstFrame: Math.round(number(`videos/${key}/from_timestamp`) * info.fps),
      }),
    };
  });
}

async function tasksOfLines(directory: string): Promise<Map<number, string>> {
  const lines = await linesOf(directory, TASKS_FILE, taskLineSchema);
  return new Map(lines.map(({ task_index, task }) => [task_index, task]));
}

async function tasksOfTable(directory: string): Promise<Map<number, string>> {
  return new Map((await readTasks(directory, new Faults())).entries());
}

async function linesOf<S extends z.ZodType>(directory: string, file: string, schema: S) {
  const lines = (await textOf(directory, file)).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, i) => parse(schema, `${file}, line ${i + 1}`, line));
}

function parse<S extends z.ZodType>(schema: S, place: string, text: string): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(`${place}: is no JSON (${(cause as Error).message}).`, { cause });
  }
  const { data, error } = schema.safeParse(json);
  if (error) throw new DatasetError(`${place}: ${z.prettifyError(error)}`, { cause: error });
  return data;
}

async function textOf(directory: string, file: string): Promise<string> {
  try {
    return await readFile(join(directory, file), 'utf8');
  } catch (cause) {
    const isFolder = await stat(directory).then(
      (found) => found.isDirectory(),
      () => false,
    );
    throw new UsageError(
      isFolder
        ? `Cannot read LeRobot dataset "${directory}": "${file}" is missing. Name the folder that holds "meta".`
        : `Cannot read LeRobot dataset "${directory}": there is no such folder.`,
      { cause },
    );
  }
}
