import type { Contract } from '../../schemas/contract.ts';
import { imageFeatures, textFeatures } from '../frame-columns.ts';
import type { VideoBackend } from '../video-encoder.ts';
import { commonFacts, type VideoFacts } from '../video-facts.ts';
import type { DataColumn } from './data-columns.ts';
import { CHUNKS_SIZE, CODEBASE_VERSION, DATA_PATH, VIDEO_PATH } from './layout.ts';
import type { SplitRanges } from './split-ranges.ts';

/** What `meta/info.json` is made of. */
export interface DatasetSummary {
  readonly contract: Contract;
  readonly columns: readonly DataColumn[];
  readonly episodes: number;
  readonly splits: SplitRanges;
  readonly frames: number;
  readonly tasks: number;
  /** Absent where there is no camera. */
  readonly backend: VideoBackend | undefined;
  /** Of every episode, by camera. */
  readonly videos: ReadonlyMap<string, readonly VideoFacts[]>;
  readonly dataFileMegabytes: number;
  readonly videoFileMegabytes: number;
}

/** The content of `meta/info.json`. */
export function info(summary: DatasetSummary): object {
  const { contract, episodes, frames, tasks, backend } = summary;
  return {
    codebase_version: CODEBASE_VERSION,
    robot_type: contract.robot.model,
    total_episodes: episodes,
    total_frames: frames,
    total_tasks: tasks,
    chunks_size: CHUNKS_SIZE,
    data_files_size_in_mb: summary.dataFileMegabytes,
    video_files_size_in_mb: summary.videoFileMegabytes,
    fps: contract.samples.tickRateHz,
    splits: summary.splits.json(),
    data_path: DATA_PATH,
    video_path: backend ? VIDEO_PATH : null,
    features: featureTable(summary),
  };
}

/** What `meta/info.json` says of every column and video. */
export function featureTable({
  contract,
  columns,
  backend,
  videos,
}: Pick<DatasetSummary, 'contract' | 'columns' | 'backend' | 'videos'>): Record<string, object> {
  const features: Record<string, object> = {};
  for (const [key, { width, height }] of backend ? imageFeatures(contract) : []) {
    const { codec, pixelFormat, gop, crf, preset } = commonFacts(videos.get(key) ?? []);
    features[key] = {
      dtype: 'video',
      shape: [height, width, 3],
      names: ['height', 'width', 'channels'],
      info: {
        'video.height': height,
        'video.width': width,
        ...(codec && { 'video.codec': codec }),
        ...(pixelFormat && { 'video.pix_fmt': pixelFormat }),
        'video.is_depth_map': false,
        'video.fps': contract.samples.tickRateHz,
        'video.channels': 3,
        'video.g': gop,
        ...(crf !== undefined && { 'video.crf': crf }),
        ...(preset !== undefined && { 'video.preset': preset }),
        has_audio: false,
        is_depth_map: false,
      },
    };
  }
  for (const { name, dtype, shape, names } of columns) features[name] = { dtype, shape, names };
  for (const key of textFeatures(contract)) features[key] = { dtype: 'string', shape: [1], names: null };
  return features;
}
