/** Where the files of a LeRobot v3.0 dataset lie. A reader sorts by path: path order is row order. */
export const CODEBASE_VERSION = 'v3.0';
export const CHUNKS_SIZE = 1000;
export const INFO_FILE = 'meta/info.json';
export const STATS_FILE = 'meta/stats.json';
export const TASKS_FILE = 'meta/tasks.parquet';

/** Templates as `info.json` spells them. */
export const DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet';
export const VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4';
export const EPISODES_PATH = 'meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet';

/** One file of a numbered series. */
export interface Place {
  readonly chunkIndex: number;
  readonly fileIndex: number;
}

/** The place of the n-th file of a series, counted from 0. */
export function placeOf(n: number): Place {
  return { chunkIndex: Math.floor(n / CHUNKS_SIZE), fileIndex: n % CHUNKS_SIZE };
}

/** Fills a template. */
export function pathOf(template: string, { chunkIndex, fileIndex }: Place, videoKey = ''): string {
  return template
    .replace('{chunk_index:03d}', String(chunkIndex).padStart(3, '0'))
    .replace('{file_index:03d}', String(fileIndex).padStart(3, '0'))
    .replace('{video_key}', videoKey);
}

/** Shape of a row in Parquet: what LeRobot calls [1] is a plain number there. */
export function cellShape(shape: readonly number[]): readonly number[] {
  return shape.length === 1 && shape[0] === 1 ? [] : shape;
}
