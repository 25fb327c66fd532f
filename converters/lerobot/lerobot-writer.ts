import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader } from '../dataset-writer.ts';
import type { Frame } from '../frame.ts';
import { type FrameNumbers, imageFeatures, numbersOf } from '../frame-columns.ts';
import type { VideoBackend } from '../video-encoder.ts';
import { CameraVideos, type VideoRange } from './camera-videos.ts';
import { type DataColumn, dataColumns, type EpisodeFrames } from './data-columns.ts';
import { DataFiles } from './data-files.ts';
import { type EpisodeRecord, episodesTable } from './episodes-table.ts';
import {
  type CountedEpisode,
  FeatureStatistics,
  type FeatureSummary,
  type StatisticsTable,
  statisticsJson,
} from './feature-statistics.ts';
import { info } from './info.ts';
import { cellShape, EPISODES_PATH, INFO_FILE, pathOf, placeOf, STATS_FILE, TASKS_FILE } from './layout.ts';
import type { TensorRows } from './parquet-file.ts';
import { PictureStatistics } from './picture-statistics.ts';
import { SplitRanges } from './split-ranges.ts';
import { tasksTable } from './tasks-table.ts';
import { checkVideos } from './video-rules.ts';

export interface LerobotLimits {
  /** Size at which the next data file begins, MiB before compression. @default 100 */
  readonly dataFileMegabytes?: number;
  /** Size at which the next video file of a camera begins, MiB. @default 200 */
  readonly videoFileMegabytes?: number;
}

export interface LerobotWriterOptions extends LerobotLimits {
  /** Makes the videos; needed where the contract has pictures. */
  readonly backend: VideoBackend | undefined;
}

const MEBIBYTE = 2 ** 20;
/** Rows of one file of `meta/episodes`: some 10 MB with its statistics. */
const EPISODES_PER_FILE = 1000;
/** Holds each episode's video until its file is joined; gone when the dataset is whole. */
const PARTS = '.parts';

/** Writes a LeRobot v3.0 dataset. One episode is held in memory without its pictures, and one data file. */
export class LerobotWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #options: Required<LerobotWriterOptions>;
  readonly #columns: readonly DataColumn[];
  readonly #cameras: readonly CameraVideos[];
  readonly #data: DataFiles;
  readonly #pictures: ReadonlyMap<string, PictureStatistics>;
  readonly #numbers: ReadonlyMap<string, FeatureStatistics>;
  /** Both. */
  readonly #statistics: ReadonlyMap<string, FeatureSummary>;
  readonly #episodes: EpisodeRecord[] = [];
  readonly #splits = new SplitRanges();
  #episode: { header: EpisodeHeader; frames: FrameNumbers[] } | undefined;

  /** @throws {ConvertError} when the contract cannot become a LeRobot dataset. */
  constructor(
    target: DatasetTarget,
    { backend, dataFileMegabytes = 100, videoFileMegabytes = 200 }: LerobotWriterOptions,
  ) {
    const { contract, directory } = target;
    const fps = contract.samples.tickRateHz;
    checkVideos(contract);
    this.#target = target;
    this.#options = { backend, dataFileMegabytes, videoFileMegabytes };
    this.#columns = dataColumns(contract);
    this.#cameras = imageFeatures(contract).map(([key, feature]) => {
      if (!backend) throw new TypeError(`feature "${key}" is a picture: a video backend is needed`);
      const partsDirectory = join(directory, PARTS);
      return new CameraVideos({
        key,
        feature,
        fps,
        backend,
        directory,
        partsDirectory,
        maxBytes: videoFileMegabytes * MEBIBYTE,
      });
    });
    this.#data = new DataFiles({
      directory,
      columns: this.#columns.map((column) => ({ ...column, shape: cellShape(column.shape) })),
      maxBytes: dataFileMegabytes * MEBIBYTE,
    });
    this.#pictures = new Map(this.#cameras.map(({ key }) => [key, new PictureStatistics()]));
    this.#numbers = new Map(this.#columns.map(({ name, shape }) => [name, new FeatureStatistics(shape)]));
    this.#statistics = new Map<string, FeatureSummary>([...this.#pictures, ...this.#numbers]);
  }

  async beginEpisode(header: EpisodeHeader): Promise<void> {
    await mkdir(join(this.#target.directory, PARTS), { recursive: true });
    this.#episode = { header, frames: [] };
    for (const camera of this.#cameras) camera.beginEpisode();
  }

  async addFrame(frame: Frame): Promise<void> {
    this.#episode!.frames.push(numbersOf(frame));
    await Promise.all(
      this.#cameras.map(async (camera) => {
        const value = frame.values.get(camera.key);
        if (value?.kind !== 'image')
          throw new TypeError(`frame ${frame.index} has no picture "${camera.key}"`);
        if (value.valid) this.#pictures.get(camera.key)!.addFrame(value.pixels);
        await camera.write(value.pixels);
      }),
    );
  }

  async endEpisode(): Promise<void> {
    const { header, frames } = this.#episode!;
    if (frames.length === 0) {
      throw new ConvertError(`Cannot write LeRobot: episode "${header.id}" has no frames. Leave it out.`);
    }
    const videos = new Map<string, VideoRange>();
    const ranges = await Promise.all(this.#cameras.map((camera) => camera.endEpisode()));
    for (const [i, { key }] of this.#cameras.entries()) videos.set(key, ranges[i]!);
    const fromIndex = this.#episodes.at(-1)?.toIndex ?? 0;
    const taskIndex = this.#target.tasks.indexOf(header.task);
    const rows = this.#columns.map((column) =>
      column.rows({ header, frames, firstIndex: fromIndex, taskIndex }),
    );
    const counted = this.#splits.add(header.split);
    this.#countColumns(frames, { rows, counted });
    const statistics = new Map<string, StatisticsTable>();
    for (const [key, feature] of this.#statistics) statistics.set(key, feature.endEpisode(counted));
    this.#episodes.push({
      index: header.index,
      task: header.task,
      fromIndex,
      toIndex: fromIndex + frames.length,
      data: await this.#data.append(frames.length, rows),
      videos,
      statistics,
    });
    this.#episode = undefined;
  }

  async finish(): Promise<number> {
    const { contract, tasks, directory } = this.#target;
    const episodes = this.#episodes;
    const frames = episodes.at(-1)?.toIndex ?? 0;
    if (frames === 0) throw new ConvertError('Cannot write LeRobot: there is no episode.');
    await Promise.all([this.#data.finish(), ...this.#cameras.map((camera) => camera.finish())]);
    await rm(join(directory, PARTS), { recursive: true });
    const summary = { ...this.#options, contract, columns: this.#columns };
    await this.#write(
      INFO_FILE,
      json(
        info({ ...summary, splits: this.#splits, episodes: episodes.length, frames, tasks: tasks.length }),
      ),
    );
    await this.#write(STATS_FILE, json(statisticsJson(this.#statistics)));
    await this.#write(TASKS_FILE, tasksTable(tasks));
    const shapes = new Map([...this.#statistics].map(([key, { shape }]) => [key, shape]));
    for (let n = 0; n * EPISODES_PER_FILE < episodes.length; n++) {
      const some = episodes.slice(n * EPISODES_PER_FILE, (n + 1) * EPISODES_PER_FILE);
      const options = { fps: contract.samples.tickRateHz, place: placeOf(n), shapes };
      await this.#write(pathOf(EPISODES_PATH, placeOf(n)), episodesTable(some, options));
    }
    return frames;
  }

  async abort(): Promise<void> {
    await Promise.all(this.#cameras.map((camera) => camera.abort()));
  }

  #countColumns(
    frames: EpisodeFrames['frames'],
    { rows, counted }: { readonly rows: readonly TensorRows[]; readonly counted: CountedEpisode },
  ): void {
    for (const [i, { name, maskedBy }] of this.#columns.entries()) {
      const valid = frames.map(({ values }) => !maskedBy || values.get(maskedBy)!.valid);
      this.#numbers.get(name)!.addRows(rows[i]!, valid, counted);
    }
  }

  async #write(path: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.#target.directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 4)}\n`;
