import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContractFile } from '../../schemas/contract-file.ts';
import {
  CONTRACT_ATTACHMENT,
  EPISODE_RECORD,
  EPISODE_SUFFIX,
  type EpisodeInfo,
  IMPORT_RECORD,
  PART_SUFFIX,
} from '../../schemas/episode.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { DatasetError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import { integer } from '../lerobot/read-metadata.ts';
import type { ParquetRow } from '../parquet-reader.ts';
import { CameraPackets } from './camera-packets.ts';
import { CameraPictures } from './camera-pictures.ts';
import { checkRows, rowTimes } from './foreign-rows.ts';
import type { ForeignEpisode, LerobotDataset } from './lerobot-dataset.ts';
import type { RowMessages } from './row-messages.ts';

export interface EpisodeImportOptions {
  readonly library: string;
  readonly contract: ContractFile;
  readonly messages: readonly RowMessages[];
  /** That will be imported, in this order. */
  readonly episodes: readonly ForeignEpisode[];
  /** Of this program. */
  readonly version: string;
}

/** Writes episodes of one dataset into a library: each whole or not at all. */
export class EpisodeImport {
  readonly #dataset: LerobotDataset;
  readonly #options: EpisodeImportOptions;
  readonly #cameras: ReadonlyMap<string, CameraPictures | CameraPackets>;
  /** Of files of the dataset; many episodes share them. */
  readonly #digests = new Map<string, Promise<string>>();

  constructor(dataset: LerobotDataset, options: EpisodeImportOptions) {
    const { messages, episodes } = options;
    this.#dataset = dataset;
    this.#options = options;
    const cameras = new Map<string, CameraPictures | CameraPackets>();
    for (const { key, kind } of messages.map(({ topic }) => topic)) {
      if (kind === 'video') cameras.set(key, new CameraPictures(dataset.directory, key, episodes));
      if (kind === 'h264' || kind === 'h265') cameras.set(key, new CameraPackets(dataset.directory, key));
    }
    this.#cameras = cameras;
  }

  fileOf({ index }: ForeignEpisode): string {
    const { library, contract } = this.#options;
    return join(library, `${contract.contract.name}-${String(index).padStart(6, '0')}${EPISODE_SUFFIX}`);
  }

  /** Whether an import before has written it. */
  isThere(episode: ForeignEpisode): Promise<boolean> {
    return access(this.fileOf(episode)).then(
      () => true,
      () => false,
    );
  }

  /** @throws {DatasetError} when rows or videos are not what the dataset says; nothing is left of it then. */
  async write(episode: ForeignEpisode, rows: readonly ParquetRow[]): Promise<void> {
    checkRows(rows, episode);
    const lineage = await this.#lineage(episode);
    const file = this.fileOf(episode);
    const writer = await EpisodeWriter.open(file);
    try {
      await this.#fill(writer, episode, { rows, lineage });
      await writer.close();
    } catch (error) {
      await writer.abort();
      await rm(file.slice(0, -EPISODE_SUFFIX.length) + PART_SUFFIX, { force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const camera of this.#cameras.values()) await camera.close();
  }

  async #fill(
    writer: EpisodeWriter,
    episode: ForeignEpisode,
    {
      rows,
      lineage,
    }: { readonly rows: readonly ParquetRow[]; readonly lineage: ReadonlyMap<string, string> },
  ): Promise<void> {
    const { contract, messages } = this.#options;
    const times = rowTimes(rows, { index: episode.index, fps: this.#dataset.fps });
    const info = this.#info(episode, { startTime: times[0] ?? 0n, row: rows[0] });
    await writer.addMetadata(EPISODE_RECORD, new Map(Object.entries(info)));
    await writer.addMetadata(IMPORT_RECORD, lineage);
    await writer.addAttachment({
      name: CONTRACT_ATTACHMENT,
      mediaType: 'application/yaml',
      logTime: times[0] ?? 0n,
      data: new TextEncoder().encode(contract.text),
    });
    const tracks = messages.map((own) => ({
      own,
      channelId: writer.addChannel(own.channel),
      pictures: this.#cameras.get(own.topic.key)?.of(episode),
    }));
    try {
      for (const [i, row] of rows.entries()) {
        for (const { own, channelId, pictures } of tracks) {
          const picture = pictures && (await pictures.next()).value;
          const data = own.encode(row, times[i]!, picture || undefined);
          const at = { channelId, sequence: i + 1, logTime: times[i]!, publishTime: times[i]! };
          if (data) await writer.write({ ...at, data });
        }
      }
    } finally {
      for (const { pictures } of tracks) await pictures?.return(undefined);
    }
  }

  #info(
    { index }: ForeignEpisode,
    { startTime, row }: { readonly startTime: bigint; readonly row: ParquetRow | undefined },
  ): EpisodeInfo {
    const { contract, version } = this.#options;
    const { robot, tasks } = this.#dataset;
    const start = String(startTime);
    return {
      id: `${contract.contract.name}-${String(index).padStart(6, '0')}`,
      ...{ contract: contract.contract.name, contractDigest: contract.digest, robot },
      task: tasks.get(row ? integer(row, 'task_index') : 0) ?? '',
      ...{ operator: 'unknown', source: 'lerobot', recorderVersion: version },
      ...{ startTime: start, clockSystemTime: start, clockMonotonicNanos: start },
    };
  }

  /** What the episode was made of: the dataset, and the files by their sha256. @throws {DatasetError} when one is missing. */
  async #lineage(episode: ForeignEpisode): Promise<ReadonlyMap<string, string>> {
    const { name, version, directory } = this.#dataset;
    const videos = [...this.#cameras.keys()].map((key) => episode.video(key).file);
    const digests = ['meta/info.json', episode.dataFile, ...videos].map(async (file) => {
      const known = this.#digests.get(file) ?? digestOf(directory, file);
      this.#digests.set(file, known);
      return [file, await known] as const;
    });
    return new Map([
      ['format', `LeRobot ${version}`],
      ['dataset', name],
      ['episode', String(episode.index)],
      ...(await Promise.all(digests)),
    ]);
  }
}

async function digestOf(directory: string, file: string): Promise<string> {
  try {
    return await fileDigest(join(directory, file));
  } catch (cause) {
    throw new DatasetError(`Cannot read "${file}": ${(cause as Error).message}.`, { cause });
  }
}
