/** Where the files of a LeRobot v2.1 dataset lie: one Parquet file and one video per camera for each episode. */
export const CODEBASE_VERSION = 'v2.1';
/** Episodes of one `chunk-…` folder. */
export const CHUNKS_SIZE = 1000;
export const INFO_FILE = 'meta/info.json';
export const TASKS_FILE = 'meta/tasks.jsonl';
export const EPISODES_FILE = 'meta/episodes.jsonl';
export const EPISODES_STATS_FILE = 'meta/episodes_stats.jsonl';
/** GR00T's own: which slice of which column is which part of the robot. */
export const MODALITY_FILE = 'meta/modality.json';
/** GR00T's own: statistics over the dataset; without it GR00T makes one that does not know the masks. */
export const STATS_FILE = 'meta/stats.json';

/** Templates as `info.json` spells them. */
export const DATA_PATH = 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet';
export const VIDEO_PATH = 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4';

/** Fills a template. */
export function pathOf(template: string, episode: number, videoKey = ''): string {
  return template
    .replace('{episode_chunk:03d}', String(Math.floor(episode / CHUNKS_SIZE)).padStart(3, '0'))
    .replace('{episode_index:06d}', String(episode).padStart(6, '0'))
    .replace('{video_key}', videoKey);
}
