import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import type { EpisodeReading } from '../dataset-reading.ts';
import { type EpisodePlace, readPlaces } from '../lerobot/read-lerobot.ts';
import { DATA_PATH, EPISODES_FILE, pathOf, TASKS_FILE, VIDEO_PATH } from './layout.ts';

const lineSchema = z.object({
  episode_index: countNumber,
  length: countNumber,
  episode_id: z.string(),
  recording: z.string(),
});
const taskSchema = z.object({ task: z.string() });

/** Reads a LeRobot v2.1 dataset back. */
export async function* readLerobotV21(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const tasks = (await readLines(directory, TASKS_FILE)).map((line) => taskSchema.parse(line).task);
  const places = (await readLines(directory, EPISODES_FILE)).map((line): EpisodePlace => {
    const { episode_index, length, episode_id, recording } = lineSchema.parse(line);
    return {
      id: episode_id,
      recording,
      file: pathOf(DATA_PATH, episode_index),
      firstRow: 0,
      frames: length,
      video: (key) => ({ file: pathOf(VIDEO_PATH, episode_index, key), firstFrame: 0 }),
    };
  });
  yield* readPlaces(directory, contract, { places, tasks });
}

async function readLines(directory: string, path: string): Promise<readonly unknown[]> {
  const lines = (await readFile(join(directory, path), 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}
