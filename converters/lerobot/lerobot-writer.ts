import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { imageFeatures, textFeatures } from '../frame-columns.ts';
import { formName } from '../prepared/picture-form.ts';
import type { VideoBackend } from '../video-encoder.ts';
import type { VideoFacts } from '../video-facts.ts';
import { CameraVideos, type VideoRange } from './camera-videos.ts';
import { countRows, type DataColumn, dataColumns, episodeRows, rowBytes } from './data-columns.ts';
import { DataFiles } from './data-files.ts';
import { type EpisodeRecord, episodesTable } from './episodes-table.ts';
import {
  FeatureStatistics,
  type FeatureSummary,
  type StatisticsTable,
  statisticsJson,
} from './feature-statistics.ts';
import { info } from './info.ts';
import { cellShape, EPISODES_PATH, INFO_FILE, pathOf, placeOf, STATS_FILE, TASKS_FILE } from './layout.ts';
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

/** Writes a LeRobot v3.0 dataset. One row group is held in memory. */
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
  readonly #videos: ReadonlyMap<string, VideoFacts[]>;
  readonly #episodes: EpisodeRecord[] = [];
  readonly #splits = new SplitRanges();

  /** @throws {ConvertError} when the contract cannot become a LeRobot dataset. */
  constructor(
    target: DatasetTarget,
    { backend, dataFileMegabytes = 100, videoFileMegabytes = 200 }: LerobotWriterOptions,
  ) {
    const { contract, directory } = target;
    checkVideos(contract);
    this.#target = target;
    this.#options = { backend, dataFileMegabytes, videoFileMegabytes };
    this.#columns = dataColumns(contract);
    this.#cameras = imageFeatures(contract).map(
      ([key]) => new CameraVideos({ key, directory, maxBytes: videoFileMegabytes * MEBIBYTE }),
    );
    this.#data = new DataFiles({
      directory,
      columns: [
        ...this.#columns.map((column) => ({ ...column, shape: cellShape(column.shape) })),
        ...textFeatures(contract).map((name) => ({ kind: 'text', name }) as const),
      ],
      maxBytes: dataFileMegabytes * MEBIBYTE,
    });
    this.#pictures = new Map(this.#cameras.map(({ key }) => [key, new PictureStatistics()]));
    this.#videos = new Map(this.#cameras.map(({ key }) => [key, []]));
    this.#numbers = new Map(this.#columns.map(({ name, shape }) => [name, new FeatureStatistics(shape)]));
    this.#statistics = new Map<string, FeatureSummary>([...this.#pictures, ...this.#numbers]);
  }

  async addEpisode({ header, numbers, pictures }: EpisodeToWrite): Promise<void> {
    const { index, id, digest, task, split } = header;
    const videos = new Map<string, VideoRange>();
    for (const camera of this.#cameras) {
      const form = videoForm(camera.key, this.#options.backend, { mayLead: true });
      const facts = pictures.videoFacts(camera.key, form);
      videos.set(camera.key, await camera.add(pictures.video(camera.key, form), facts));
      this.#videos.get(camera.key)!.push(facts);
      this.#pictures.get(camera.key)!.add(pictures.levels(camera.key, form));
    }
    const fromIndex = this.#episodes.at(-1)?.toIndex ?? 0;
    const taskIndex = this.#target.tasks.indexOf(task);
    const frames = { header, numbers, firstIndex: fromIndex, taskIndex };
    const counted = this.#splits.add(split);
    const data = await this.#data.beginEpisode(numbers.frames * rowBytes(this.#columns));
    for (const group of episodeRows(frames, { contract: this.#target.contract, columns: this.#columns })) {
      countRows(this.#numbers, group, { columns: this.#columns, numbers, ...counted });
      await this.#data.append(group);
    }
    const statistics = new Map<string, StatisticsTable>();
    for (const [key, feature] of this.#statistics) statistics.set(key, feature.endEpisode(counted));
    this.#episodes.push({
      index,
      id,
      recording: digest,
      startTime: numbers.tickTimes[0]!,
      endTime: numbers.tickTimes.at(-1)!,
      task,
      fromIndex,
      toIndex: fromIndex + numbers.frames,
      data,
      videos,
      statistics,
    });
  }

  async finish(): Promise<number> {
    const { contract, contractDigest, version, tasks } = this.#target;
    const episodes = this.#episodes;
    const frames = episodes.at(-1)?.toIndex ?? 0;
    if (frames === 0) throw new ConvertError('Cannot write LeRobot: there is no episode.');
    await Promise.all([this.#data.finish(), ...this.#cameras.map((camera) => camera.finish())]);
    const summary = { ...this.#options, contract, columns: this.#columns, videos: this.#videos };
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
      const options = {
        fps: contract.samples.tickRateHz,
        place: placeOf(n),
        shapes,
        contractDigest,
        version,
      };
      await this.#write(pathOf(EPISODES_PATH, placeOf(n)), episodesTable(some, options));
    }
    return frames;
  }

  abort(): Promise<void> {
    return this.#data.abort();
  }

  async #write(path: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.#target.directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 4)}\n`;

/** Name of the form in which a camera's pictures come. */
export function videoForm(
  key: string,
  backend: VideoBackend | undefined,
  { mayLead }: { readonly mayLead: boolean },
): string {
  if (!backend) throw new TypeError(`feature "${key}" is a picture: a video backend is needed`);
  return formName({ kind: 'video', backend: backend.name, encoder: backend.encoder, mayLead });
}
