import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { imageFeatures, textFeatures } from '../frame-columns.ts';
import { countRows, type DataColumn, dataColumns, episodeRows } from '../lerobot/data-columns.ts';
import { FeatureStatistics, type FeatureSummary } from '../lerobot/feature-statistics.ts';
import { featureTable } from '../lerobot/info.ts';
import { videoForm } from '../lerobot/lerobot-writer.ts';
import { ParquetFileWriter } from '../lerobot/parquet-file.ts';
import { PictureStatistics } from '../lerobot/picture-statistics.ts';
import { SplitRanges } from '../lerobot/split-ranges.ts';
import { checkVideos } from '../lerobot/video-rules.ts';
import { joinVideos } from '../mp4-joiner.ts';
import { readMp4 } from '../mp4-reader.ts';
import type { VideoBackend } from '../video-encoder.ts';
import type { VideoFacts } from '../video-facts.ts';
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
import { modality } from './modality.ts';
import { datasetStatistics, episodeStatistics } from './statistics-json.ts';

/**
 * Writes a LeRobot v2.1 dataset with GR00T's `modality.json`: the columns and the videos of v3.0, in one file
 * per episode.
 */
export class LerobotV21Writer implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #backend: VideoBackend | undefined;
  readonly #columns: readonly DataColumn[];
  readonly #pictures: ReadonlyMap<string, PictureStatistics>;
  readonly #numbers: ReadonlyMap<string, FeatureStatistics>;
  /** Both of them. */
  readonly #statistics: ReadonlyMap<string, FeatureSummary>;
  readonly #videos: ReadonlyMap<string, VideoFacts[]>;
  readonly #splits = new SplitRanges();
  /** Of the latest episode. */
  #file: ParquetFileWriter | undefined;
  #episodes = 0;
  #frames = 0;

  /** @throws {ConvertError} when the contract cannot become a LeRobot dataset. */
  constructor(target: DatasetTarget, { backend }: { readonly backend: VideoBackend | undefined }) {
    const { contract } = target;
    checkVideos(contract);
    this.#target = target;
    this.#backend = backend;
    this.#columns = dataColumns(contract);
    this.#pictures = new Map(imageFeatures(contract).map(([key]) => [key, new PictureStatistics()]));
    this.#videos = new Map([...this.#pictures.keys()].map((key) => [key, []]));
    this.#numbers = new Map(this.#columns.map(({ name, shape }) => [name, new FeatureStatistics(shape)]));
    this.#statistics = new Map<string, FeatureSummary>([...this.#pictures, ...this.#numbers]);
  }

  async addEpisode({ header, numbers, pictures }: EpisodeToWrite): Promise<void> {
    const { index, id, digest, task, split } = header;
    const { contract } = this.#target;
    for (const [key, statistics] of this.#pictures) {
      const form = videoForm(key, this.#backend, { mayLead: false });
      // Joining one video brings its index to the front.
      const video = await readMp4(pictures.video(key, form));
      await joinVideos([video], await this.#fileFor(pathOf(VIDEO_PATH, index, key)));
      this.#videos.get(key)!.push(pictures.videoFacts(key, form));
      statistics.add(pictures.levels(key, form));
    }
    const taskIndex = this.#target.tasks.indexOf(task);
    const training = this.#splits.add(split);
    const texts = textFeatures(contract);
    this.#file = new ParquetFileWriter(await this.#fileFor(pathOf(DATA_PATH, index)), [
      ...this.#columns.map((column) => ({
        ...column,
        shape: column.shape.length === 1 && column.shape[0] === 1 ? [] : column.shape,
      })),
      ...texts.map((name) => ({ kind: 'text', name }) as const),
    ]);
    const frames = { header, numbers, firstIndex: this.#frames, taskIndex };
    for (const group of episodeRows(frames, { contract, columns: this.#columns })) {
      countRows(this.#numbers, group, { columns: this.#columns, numbers, ...training });
      await this.#file.append(group);
    }
    await this.#file.close();
    await this.#appendLine(EPISODES_FILE, {
      episode_index: index,
      tasks: [task],
      length: numbers.frames,
      episode_id: id,
      recording: digest,
      start_time: String(numbers.tickTimes[0]),
      end_time: String(numbers.tickTimes.at(-1)),
      contract: this.#target.contractDigest,
      version: this.#target.version,
    });
    const stats = episodeStatistics(this.#statistics, this.#target.contract, training);
    await this.#appendLine(EPISODES_STATS_FILE, { episode_index: index, stats });
    this.#episodes++;
    this.#frames += numbers.frames;
  }

  async finish(): Promise<number> {
    const { contract, tasks } = this.#target;
    if (this.#frames === 0) throw new ConvertError('Cannot write LeRobot: there is no episode.');
    for (const [task_index, task] of tasks.entries())
      await this.#appendLine(TASKS_FILE, { task_index, task });
    await this.#writeJson(INFO_FILE, {
      codebase_version: CODEBASE_VERSION,
      robot_type: contract.robot.model,
      total_episodes: this.#episodes,
      total_frames: this.#frames,
      total_tasks: tasks.length,
      total_videos: this.#episodes * imageFeatures(contract).length,
      total_chunks: Math.ceil(this.#episodes / CHUNKS_SIZE),
      chunks_size: CHUNKS_SIZE,
      fps: contract.samples.tickRateHz,
      splits: this.#splits.json(),
      data_path: DATA_PATH,
      video_path: this.#backend ? VIDEO_PATH : null,
      features: featureTable({
        contract,
        columns: this.#columns,
        backend: this.#backend,
        videos: this.#videos,
      }),
    });
    await this.#writeJson(MODALITY_FILE, modality(contract));
    await this.#writeJson(STATS_FILE, datasetStatistics(this.#statistics, this.#columns));
    return this.#frames;
  }

  async abort(): Promise<void> {
    await this.#file?.abort();
  }

  async #appendLine(path: string, value: object): Promise<void> {
    await appendFile(await this.#fileFor(path), `${JSON.stringify(value)}\n`);
  }

  async #writeJson(path: string, value: object): Promise<void> {
    await writeFile(await this.#fileFor(path), `${JSON.stringify(value, undefined, 4)}\n`);
  }

  async #fileFor(path: string): Promise<string> {
    const file = join(this.#target.directory, path);
    await mkdir(dirname(file), { recursive: true });
    return file;
  }
}
