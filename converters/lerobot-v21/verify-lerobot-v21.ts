import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import { Faults } from '../lerobot/faults.ts';
import { featureSchema, filesBelow } from '../lerobot/read-metadata.ts';
import { verifyRows } from '../lerobot/verify-rows.ts';
import { verifyVideo } from '../lerobot/verify-videos.ts';
import {
  CHUNKS_SIZE,
  CODEBASE_VERSION,
  DATA_PATH,
  EPISODES_FILE,
  EPISODES_STATS_FILE,
  INFO_FILE,
  MODALITY_FILE,
  pathOf,
  STATS_FILE,
  TASKS_FILE,
  VIDEO_PATH,
} from './layout.ts';

const infoSchema = z.object({
  codebase_version: z.literal(CODEBASE_VERSION),
  fps: z.int().positive(),
  total_episodes: countNumber,
  total_frames: countNumber,
  total_tasks: countNumber,
  total_videos: countNumber,
  total_chunks: countNumber,
  chunks_size: z.literal(CHUNKS_SIZE),
  data_path: z.literal(DATA_PATH),
  video_path: z.literal(VIDEO_PATH).nullable(),
  features: z.record(z.string(), featureSchema),
});
type Info = z.infer<typeof infoSchema>;

const taskSchema = z.object({ task_index: countNumber, task: z.string() });
const episodeSchema = z.object({
  episode_index: countNumber,
  tasks: z.array(z.string()).min(1),
  length: z.int().positive(),
});
const statsSchema = z.record(z.string(), z.record(z.string(), z.array(z.unknown())));
const episodeStatsSchema = z.object({ episode_index: countNumber, stats: statsSchema });
const partSchema = z.object({ start: countNumber, end: countNumber, original_key: z.string() });
const originalSchema = z.object({ original_key: z.string() });
const modalitySchema = z.object({
  state: z.record(z.string(), partSchema),
  action: z.record(z.string(), partSchema),
  video: z.record(z.string(), originalSchema),
  annotation: z.record(z.string(), originalSchema),
});

/**
 * Checks what LeRobot v2.1 and GR00T rely on: metadata that count up, rows on the grid, one file an episode,
 * videos of as many frames as rows, parts of `modality.json` that exist.
 *
 * @returns one sentence per fault, naming file and row.
 */
export async function verifyLerobotV21(directory: string): Promise<readonly string[]> {
  const faults = new Faults();
  try {
    const info = parse(infoSchema, INFO_FILE, await read(directory, INFO_FILE));
    const tasks = await readLines(directory, TASKS_FILE, taskSchema);
    const episodes = await readLines(directory, EPISODES_FILE, episodeSchema);
    const stats = await readLines(directory, EPISODES_STATS_FILE, episodeStatsSchema);
    checkIndices(TASKS_FILE, tasks, 'task_index', faults);
    checkIndices(EPISODES_FILE, episodes, 'episode_index', faults);
    checkIndices(EPISODES_STATS_FILE, stats, 'episode_index', faults);
    const cameras = Object.keys(info.features).filter((key) => info.features[key]!.dtype === 'video');
    const lengths = episodes.map(({ length }) => length);
    const totals = {
      total_episodes: episodes.length,
      total_frames: lengths.reduce((sum, length) => sum + length, 0),
      total_tasks: tasks.length,
      total_videos: episodes.length * cameras.length,
      total_chunks: Math.ceil(episodes.length / CHUNKS_SIZE),
    };
    for (const [name, found] of Object.entries(totals)) {
      const said = info[name as keyof typeof totals];
      if (said !== found) faults.add(INFO_FILE, `${name} is ${said}, the tables hold ${found}.`);
    }
    if (stats.length !== episodes.length) {
      faults.add(EPISODES_STATS_FILE, `has ${stats.length} lines for ${episodes.length} episodes.`);
    }
    await checkVideos(directory, { info, cameras, lengths }, faults);
    const ranges: { from: number; to: number; tasks: readonly string[] }[] = [];
    for (const { length, tasks: own } of episodes) {
      const from = ranges.at(-1)?.to ?? 0;
      ranges.push({ from, to: from + length, tasks: own });
    }
    const texts = tasks.map(({ task }) => task);
    const dataFileOf = (episode: number) => pathOf(info.data_path, episode);
    await verifyRows(directory, { info, tasks: texts, episodes: ranges, dataFileOf }, faults);
    await checkModality(directory, info, faults);
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    if (!(error instanceof DatasetError)) throw error;
    faults.add(directory, error.message);
  }
  return faults.list();
}

async function checkVideos(
  directory: string,
  { info, cameras, lengths }: { info: Info; cameras: readonly string[]; lengths: readonly number[] },
  faults: Faults,
): Promise<void> {
  const expected = new Set<string>();
  for (const key of cameras) {
    for (const [episode, count] of lengths.entries()) {
      const file = pathOf(info.video_path ?? '', episode, key);
      expected.add(file);
      await verifyVideo(directory, { file, count, feature: info.features[key]!, info, faults });
    }
  }
  for (const file of await filesBelow(directory, 'videos', '.mp4')) {
    if (!expected.has(file)) faults.add(file, 'no episode lies in it.');
  }
}

async function checkModality(directory: string, { features }: Info, faults: Faults): Promise<void> {
  const modality = parse(modalitySchema, MODALITY_FILE, await read(directory, MODALITY_FILE));
  const stats = parse(statsSchema, STATS_FILE, await read(directory, STATS_FILE));
  const parts = Object.entries({ ...modality.state, ...modality.action });
  for (const [part, { start, end, original_key: key }] of parts) {
    const [width = 0] = features[key]?.shape ?? [];
    if (start >= end || end > width) {
      faults.add(
        MODALITY_FILE,
        `part "${part}" is ${start} to ${end} of "${key}", which has ${width} elements.`,
      );
    }
    for (const [name, values] of Object.entries(stats[key] ?? {})) {
      if (values.length === width) continue;
      faults.add(STATS_FILE, `"${key}" has "${name}" of ${values.length} elements, not ${width}.`);
    }
  }
  for (const { original_key: key } of Object.values({ ...modality.video, ...modality.annotation })) {
    if (!features[key]) faults.add(MODALITY_FILE, `there is no feature "${key}".`);
  }
}

function checkIndices<K extends string>(
  file: string,
  rows: readonly Readonly<Record<K, unknown>>[],
  column: K,
  faults: Faults,
): void {
  for (const [i, row] of rows.entries()) {
    if (row[column] !== i) faults.addRow(file, i, column, `${column} is ${row[column]}, it must be ${i}.`);
  }
}

async function readLines<S extends z.ZodType>(
  directory: string,
  path: string,
  schema: S,
): Promise<z.infer<S>[]> {
  const lines = (await read(directory, path)).split('\n').filter((line) => line !== '');
  return lines.map((line, i) => parse(schema, `${path}, row ${i}`, line));
}

function parse<S extends z.ZodType>(schema: S, place: string, text: string): z.infer<S> {
  try {
    const { data, error } = schema.safeParse(JSON.parse(text));
    if (error) throw new RangeError(z.prettifyError(error));
    return data;
  } catch (cause) {
    throw new DatasetError(`${place}: ${(cause as Error).message}`, { cause });
  }
}

async function read(directory: string, path: string): Promise<string> {
  try {
    return await readFile(join(directory, path), 'utf8');
  } catch (cause) {
    throw new DatasetError(`${path}: cannot be read (${cause}).`, { cause });
  }
}
