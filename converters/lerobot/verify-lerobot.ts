import { DatasetError } from '../../schemas/errors.ts';
import { Faults } from './faults.ts';
import { INFO_FILE, pathOf } from './layout.ts';
import { readEpisodes, readInfo, readTasks } from './read-metadata.ts';
import { verifyRows } from './verify-rows.ts';
import { verifyStatistics } from './verify-statistics.ts';
import { verifyVideos } from './verify-videos.ts';

/**
 * Checks what `LeRobotDataset` relies on without looking: indices, timestamps, episode ranges, tasks,
 * columns, frames of the videos, statistics.
 *
 * @returns one sentence per fault, naming file and row.
 */
export async function verifyLerobot(directory: string): Promise<readonly string[]> {
  const faults = new Faults();
  try {
    const info = await readInfo(directory);
    const tasks = await readTasks(directory, faults);
    const episodes = await readEpisodes(directory, faults);
    const totals = [
      ['total_tasks', info.total_tasks, tasks.length],
      ['total_episodes', info.total_episodes, episodes.length],
      ['total_frames', info.total_frames, episodes.at(-1)?.to ?? 0],
    ] as const;
    for (const [name, said, found] of totals) {
      if (said !== found) faults.add(INFO_FILE, `${name} is ${said}, the tables hold ${found}.`);
    }
    const metadata = { info, tasks, episodes };
    await verifyVideos(directory, metadata, faults);
    const dataFileOf = (episode: number) =>
      pathOf(info.data_path, {
        chunkIndex: episodes[episode]!.integer('data/chunk_index'),
        fileIndex: episodes[episode]!.integer('data/file_index'),
      });
    const seen = await verifyRows(directory, { ...metadata, dataFileOf }, faults);
    await verifyStatistics(directory, { info, seen }, faults);
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    if (!(error instanceof DatasetError)) throw error;
    faults.add(directory, error.message);
  }
  return faults.list();
}
