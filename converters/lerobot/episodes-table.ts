import type { VideoRange } from './camera-videos.ts';
import { STATISTIC_NAMES, type StatisticsTable } from './feature-statistics.ts';
import type { Place } from './layout.ts';
import { type Column, type ColumnRows, ParquetFile } from './parquet-file.ts';

/** What the dataset knows of one episode; a row of `meta/episodes`. */
export interface EpisodeRecord {
  readonly index: number;
  readonly id: string;
  /** `sha256:` digest. */
  readonly recording: string;
  /** Ticks of the first and the last frame, nanoseconds on the contract's clock. */
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly task: string;
  readonly fromIndex: number;
  readonly toIndex: number;
  readonly data: Place;
  readonly videos: ReadonlyMap<string, VideoRange>;
  readonly statistics: ReadonlyMap<string, StatisticsTable>;
}

export interface EpisodesTableOptions {
  readonly fps: number;
  /** The file of this series that the rows lie in. */
  readonly place: Place;
  /** Shape of each statistic, by feature. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly contractDigest: string;
  /** Of this program. */
  readonly version: string;
}

/** One file of `meta/episodes`. A loader takes row i as episode i. */
export function episodesTable(
  episodes: readonly EpisodeRecord[],
  { fps, place, shapes, contractDigest, version }: EpisodesTableOptions,
): Uint8Array {
  const columns: Column[] = [];
  const values: ColumnRows[] = [];
  const integers = (name: string, value: (episode: EpisodeRecord) => number | bigint) => {
    columns.push({ kind: 'tensor', name, dtype: 'int64', shape: [] });
    values.push(BigInt64Array.from(episodes, (episode) => BigInt(value(episode))));
  };
  const seconds = (name: string, frame: (episode: EpisodeRecord) => number) => {
    columns.push({ kind: 'tensor', name, dtype: 'float64', shape: [] });
    values.push(Float64Array.from(episodes, (episode) => frame(episode) / fps));
  };
  integers('episode_index', ({ index }) => index);
  columns.push({ kind: 'texts', name: 'tasks' });
  values.push(episodes.map(({ task }) => [task]));
  integers('length', ({ fromIndex, toIndex }) => toIndex - fromIndex);
  integers('data/chunk_index', ({ data }) => data.chunkIndex);
  integers('data/file_index', ({ data }) => data.fileIndex);
  integers('dataset_from_index', ({ fromIndex }) => fromIndex);
  integers('dataset_to_index', ({ toIndex }) => toIndex);
  const text = (name: string, value: (episode: EpisodeRecord) => string) => {
    columns.push({ kind: 'text', name });
    values.push(episodes.map(value));
  };
  text('episode_id', ({ id }) => id);
  text('recording', ({ recording }) => recording);
  integers('start_time', ({ startTime }) => startTime);
  integers('end_time', ({ endTime }) => endTime);
  text('contract', () => contractDigest);
  text('version', () => version);
  for (const key of episodes[0]?.videos.keys() ?? []) {
    integers(`videos/${key}/chunk_index`, ({ videos }) => videos.get(key)!.chunkIndex);
    integers(`videos/${key}/file_index`, ({ videos }) => videos.get(key)!.fileIndex);
    seconds(`videos/${key}/from_timestamp`, ({ videos }) => videos.get(key)!.fromFrame);
    seconds(`videos/${key}/to_timestamp`, ({ videos }) => videos.get(key)!.toFrame);
  }
  for (const [key, shape] of shapes) {
    const size = shape.reduce((product, n) => product * n, 1);
    for (const name of STATISTIC_NAMES) {
      const flat = new Float64Array(episodes.length * size);
      for (const [i, { statistics }] of episodes.entries()) flat.set(statistics.get(key)![name], i * size);
      columns.push({ kind: 'tensor', name: `stats/${key}/${name}`, dtype: 'float64', shape });
      values.push(flat);
    }
    columns.push({ kind: 'tensor', name: `stats/${key}/count`, dtype: 'int64', shape: [1] });
    values.push(BigInt64Array.from(episodes, ({ statistics }) => BigInt(statistics.get(key)!.count)));
  }
  integers('meta/episodes/chunk_index', () => place.chunkIndex);
  integers('meta/episodes/file_index', () => place.fileIndex);
  const file = new ParquetFile(columns);
  file.append(episodes.length, values);
  return file.encode();
}
