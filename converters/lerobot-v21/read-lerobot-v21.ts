import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import type { EpisodeReading } from '../dataset-reading.ts';
import { type EpisodePlace, readPlaces } from '../lerobot/read-lerobot.ts';
import { DATA_PATH, EPISODES_FILE, pathOf, VIDEO_PATH } from './layout.ts';

const lineSchema = z.object({ episode_index: countNumber, episode_id: z.string(), recording: z.string() });

/** Reads a LeRobot v2.1 dataset back. */
export async function* readLerobotV21(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const lines = (await readFile(join(directory, EPISODES_FILE), 'utf8')).split('\n').filter(Boolean);
  const places = lines.map((line): EpisodePlace => {
    const { episode_index, episode_id, recording } = lineSchema.parse(JSON.parse(line));
    return {
      id: episode_id,
      recording,
      file: pathOf(DATA_PATH, episode_index),
      firstRow: 0,
      video: (key) => ({ file: pathOf(VIDEO_PATH, episode_index, key), firstFrame: 0 }),
    };
  });
  yield* readPlaces(directory, contract, places);
}
