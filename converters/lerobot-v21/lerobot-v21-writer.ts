import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader } from '../dataset-writer.ts';
import type { Frame } from '../frame.ts';
import { type FrameNumbers, imageFeatures, numbersOf } from '../frame-columns.ts';
import { type DataColumn, dataColumns } from '../lerobot/data-columns.ts';
import { FeatureStatistics, type FeatureSummary } from '../lerobot/feature-statistics.ts';
import { featureTable } from '../lerobot/info.ts';
import { ParquetFile } from '../lerobot/parquet-file.ts';
import { PictureStatistics } from '../lerobot/picture-statistics.ts';
import { SplitRanges } from '../lerobot/split-ranges.ts';
import { checkVideos } from '../lerobot/video-rules.ts';
import { joinVideos } from '../mp4-joiner.ts';
import { readMp4 } from '../mp4-reader.ts';
import { type VideoBackend, VideoEncoder } from '../video-encoder.ts';
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

interface OpenEpisode {
  readonly header: EpisodeHeader;
  readonly frames: FrameNumbers[];
  /** By camera. */
  readonly encoders: ReadonlyMap<string, VideoEncoder>;
}

/** Where an episode's video lies until its index is brought to the front. */
const PART_SUFFIX = '.part.mp4';

/**
 * Writes a LeRobot v2.1 dataset with GR00T's `modality.json`: the columns and the videos of v3.0, in one file
 * per episode. One episode is held in memory without its pictures.
 */
export class LerobotV21Writer implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #backend: VideoBackend | undefined;
  readonly #columns: readonly DataColumn[];
  readonly #pictures: ReadonlyMap<string, PictureStatistics>;
  readonly #numbers: ReadonlyMap<string, FeatureStatistics>;
  /** Both of them. */
  readonly #statistics: ReadonlyMap<string, FeatureSummary>;
  readonly #splits = new SplitRanges();
  #episode: OpenEpisode | undefined;
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
    this.#numbers = new Map(this.#columns.map(({ name, shape }) => [name, new FeatureStatistics(shape)]));
    this.#statistics = new Map<string, FeatureSummary>([...this.#pictures, ...this.#numbers]);
  }

  async beginEpisode(header: EpisodeHeader): Promise<void> {
    const { contract } = this.#target;
    const encoders = new Map<string, VideoEncoder>();
    this.#episode = { header, frames: [], encoders };
    for (const [key, { width, height }] of imageFeatures(contract)) {
      if (!this.#backend) throw new TypeError(`feature "${key}" is a picture: a video backend is needed`);
      const file = await this.#fileFor(pathOf(VIDEO_PATH, header.index, key));
      const settings = { width, height, fps: contract.samples.tickRateHz };
      encoders.set(key, new VideoEncoder(this.#backend, file + PART_SUFFIX, settings));
    }
  }

  async addFrame(frame: Frame): Promise<void> {
    const { frames, encoders } = this.#episode!;
    frames.push(numbersOf(frame));
    await Promise.all(
      [...encoders].map(async ([key, encoder]) => {
        const value = frame.values.get(key);
        if (value?.kind !== 'image') throw new TypeError(`frame ${frame.index} has no picture "${key}"`);
        if (value.valid) this.#pictures.get(key)!.addFrame(value.pixels);
        await encoder.write(value.pixels);
      }),
    );
  }

  async endEpisode(): Promise<void> {
    const { header, frames, encoders } = this.#episode!;
    const { index, id, digest, task } = header;
    if (frames.length === 0) {
      throw new ConvertError(`Cannot write LeRobot: episode "${id}" has no frames. Leave it out.`);
    }
    await Promise.all([...encoders].map(([key, encoder]) => this.#endVideo(key, encoder)));
    const taskIndex = this.#target.tasks.indexOf(task);
    const rows = this.#columns.map((column) =>
      column.rows({ header, frames, firstIndex: this.#frames, taskIndex }),
    );
    const file = new ParquetFile(
      this.#columns.map((column) => ({
        ...column,
        shape: column.shape.length === 1 && column.shape[0] === 1 ? [] : column.shape,
      })),
    );
    file.append(frames.length, rows);
    await writeFile(await this.#fileFor(pathOf(DATA_PATH, index)), file.encode());
    const training = this.#splits.add(header.split);
    for (const [i, { name, maskedBy }] of this.#columns.entries()) {
      const counted = frames.map(({ values }) => !maskedBy || values.get(maskedBy)!.valid);
      this.#numbers.get(name)!.addRows(rows[i]!, counted, training);
    }
    await this.#appendLine(EPISODES_FILE, {
      episode_index: index,
      tasks: [task],
      length: frames.length,
      episode_id: id,
      recording: digest,
    });
    const stats = episodeStatistics(this.#statistics, this.#target.contract, training);
    await this.#appendLine(EPISODES_STATS_FILE, { episode_index: index, stats });
    this.#episodes++;
    this.#frames += frames.length;
    this.#episode = undefined;
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
      features: featureTable({ contract, columns: this.#columns, backend: this.#backend }),
    });
    await this.#writeJson(MODALITY_FILE, modality(contract));
    await this.#writeJson(STATS_FILE, datasetStatistics(this.#statistics, this.#columns));
    return this.#frames;
  }

  async abort(): Promise<void> {
    const encoders = this.#episode?.encoders.values() ?? [];
    await Promise.all([...encoders].map((encoder) => encoder.abort()));
  }

  async #endVideo(key: string, encoder: VideoEncoder): Promise<void> {
    const file = join(this.#target.directory, pathOf(VIDEO_PATH, this.#episode!.header.index, key));
    await encoder.finish();
    const video = await readMp4(file + PART_SUFFIX);
    if (video.sizes.length !== encoder.frames) {
      throw new ConvertError(
        `Cannot encode "${key}": the encoder was given ${encoder.frames} frames and wrote ${video.sizes.length}.`,
      );
    }
    await joinVideos([video], file);
    await rm(file + PART_SUFFIX);
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
