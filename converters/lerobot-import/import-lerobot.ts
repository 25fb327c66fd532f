import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContractFile } from '../../schemas/contract-file.ts';
import { DatasetError, UsageError } from '../../schemas/errors.ts';
import { flatten } from '../dataset-reading.ts';
import { readMp4 } from '../mp4-reader.ts';
import type { ParquetRow } from '../parquet-reader.ts';
import { isEpisodeFault } from '../prepared/episode-fault.ts';
import { type PacketLayout, packetLayout } from './camera-packets.ts';
import { EpisodeImport } from './episode-import.ts';
import { type FeatureTopic, featureTopics } from './feature-topics.ts';
import { checkRows, rowsOf } from './foreign-rows.ts';
import { importContract } from './import-contract.ts';
import { checkDeclaredNames, type JointUnits, jointUnits } from './joint-units.ts';
import { type ForeignEpisode, type LerobotDataset, openLerobotDataset } from './lerobot-dataset.ts';
import { RowMessages } from './row-messages.ts';

export interface ImportOptions {
  /** Folder that gets the episodes and their contract. */
  readonly library: string;
  /** Of the contract and of the episodes' files. */
  readonly name: string;
  /** In which joints are: `rad`, and `gripper.pos=none` for one of them. */
  readonly units: readonly string[];
  /** What an action means. @default not said */
  readonly actionSpace?: string | undefined;
  /** Whether the packets of H.264 and H.265 videos without reordered pictures are kept. @default false */
  readonly keepPackets?: boolean | undefined;
  /** Which episodes, by index. @default all */
  readonly episodes?: ReadonlySet<number> | undefined;
  /** Of this program. */
  readonly version: string;
  /** Told after every episode. */
  readonly onEpisode?: (file: string, episode: ForeignEpisode) => void;
}

export interface ImportReport {
  readonly dataset: LerobotDataset;
  readonly contract: ContractFile;
  readonly topics: readonly FeatureTopic[];
  /** Features that episodes cannot hold, each with the reason. */
  readonly notHeld: ReadonlyMap<string, string>;
  readonly imported: number;
  /** That were in the library before. */
  readonly present: number;
  readonly leftOut: readonly { readonly index: number; readonly fault: Error }[];
}

/**
 * Makes a library of a LeRobot v2.1 or v3.0 dataset: one episode of messages for each of its episodes. An episode
 * whose files are missing or damaged is left out and named; what is in the library is whole.
 *
 * @throws {DatasetError} when the dataset is damaged, or none of its episodes can be read.
 * @throws {UsageError} when the folder is no such dataset, a unit is not declared, or the library was imported under
 * another contract.
 */
export async function importLerobot(directory: string, options: ImportOptions): Promise<ImportReport> {
  const dataset = await openLerobotDataset(directory);
  const episodes = chosenEpisodes(dataset, options.episodes);
  const { topics: decoded, notHeld } = featureTopics(dataset.features);
  const topics = options.keepPackets ? await withPackets(decoded, dataset, episodes) : decoded;
  const units = unitsOf(topics, await someRows(dataset, episodes), { dataset, declared: options.units });
  const contract = importContract(dataset, {
    name: options.name,
    topics,
    units: new Map([...units].map(([key, { unit }]) => [key, unit])),
    actionSpace: options.actionSpace,
  });
  await keepContract(options.library, contract);
  const messages = topics.map((topic) => new RowMessages(topic, { factors: units.get(topic.key)?.factors }));
  const { library, version, onEpisode } = options;
  const target = new EpisodeImport(dataset, { library, contract, messages, episodes, version });
  const leftOut: { index: number; fault: Error }[] = [];
  let [imported, present] = [0, 0];
  try {
    for (const [file, held] of Map.groupBy(episodes, ({ dataFile }) => dataFile)) {
      const wanted = new Map<number, ForeignEpisode>();
      for (const episode of held) {
        if (await target.isThere(episode)) present++;
        else wanted.set(episode.index, episode);
      }
      for await (const outcome of writeEpisodes(target, rowsOf(dataset, file), wanted)) {
        if (outcome.fault) leftOut.push({ index: outcome.episode.index, fault: outcome.fault });
        else imported++;
        if (!outcome.fault) onEpisode?.(target.fileOf(outcome.episode), outcome.episode);
      }
    }
  } finally {
    await target.close();
  }
  return { dataset, contract, topics, notHeld, imported, present, leftOut };
}

/** Writes the episodes of one data file; those that it does not hold are at fault at its end. */
async function* writeEpisodes(
  target: EpisodeImport,
  rowsByEpisode: ReturnType<typeof rowsOf>,
  wanted: Map<number, ForeignEpisode>,
): AsyncGenerator<{ readonly episode: ForeignEpisode; readonly fault?: Error }> {
  if (wanted.size === 0) return;
  let fileFault: Error | undefined;
  try {
    for await (const { index, rows } of rowsByEpisode) {
      const episode = wanted.get(index);
      if (!episode) continue;
      wanted.delete(index);
      yield { episode, ...(await faultOf(target.write(episode, rows))) };
    }
  } catch (error) {
    if (!isEpisodeFault(error)) throw error;
    fileFault = error;
  }
  for (const episode of wanted.values()) {
    const { index, dataFile } = episode;
    yield {
      episode,
      fault: fileFault ?? new DatasetError(`Cannot read episode ${index}: "${dataFile}" does not hold it.`),
    };
  }
}

async function faultOf(work: Promise<void>): Promise<{ readonly fault?: Error }> {
  try {
    await work;
    return {};
  } catch (fault) {
    if (isEpisodeFault(fault) || fault instanceof RangeError) return { fault };
    throw fault;
  }
}

function chosenEpisodes({ episodes, name }: LerobotDataset, asked: ReadonlySet<number> | undefined) {
  const missing = [...(asked ?? [])].filter((index) => !episodes.some((episode) => episode.index === index));
  if (missing.length > 0) {
    throw new UsageError(`Dataset "${name}" has ${episodes.length} episodes, but not number ${missing[0]}.`);
  }
  return asked ? episodes.filter(({ index }) => asked.has(index)) : episodes;
}

/** Rows of the first episode that can be read: they show what the numbers are like. */
async function someRows(dataset: LerobotDataset, episodes: readonly ForeignEpisode[]) {
  let first: unknown = new DatasetError(`Cannot import "${dataset.directory}": it has no episodes.`);
  for (const episode of episodes) {
    try {
      for await (const { index, rows } of rowsOf(dataset, episode.dataFile)) {
        if (index !== episode.index) continue;
        checkRows(rows, episode);
        return rows;
      }
    } catch (error) {
      if (!isEpisodeFault(error)) throw error;
      if (episode === episodes[0]) first = error;
    }
  }
  throw first;
}

/** Cameras whose packets can be kept, by their first video that can be read. */
async function withPackets(
  topics: readonly FeatureTopic[],
  { directory }: LerobotDataset,
  episodes: readonly ForeignEpisode[],
): Promise<FeatureTopic[]> {
  const found: FeatureTopic[] = [];
  for (const topic of topics) {
    let layout: PacketLayout | undefined;
    for (const episode of topic.kind === 'video' ? episodes : []) {
      const video = await readMp4(join(directory, episode.video(topic.key).file)).catch(() => undefined);
      if (!video) continue; // missing or damaged: told when it is the episode's turn
      layout = packetLayout(video);
      break;
    }
    found.push(layout ? { ...topic, kind: layout.codec } : topic);
  }
  return found;
}

function unitsOf(
  topics: readonly FeatureTopic[],
  rows: readonly ParquetRow[],
  { dataset, declared }: { readonly dataset: LerobotDataset; readonly declared: readonly string[] },
): Map<string, JointUnits> {
  const joints = topics.filter(({ kind }) => kind === 'joints');
  checkDeclaredNames(
    declared,
    joints.flatMap(({ names = [] }) => names),
  );
  return new Map(
    joints.map(({ key, names = [] }) => {
      const values = rows.map((row) => flatten([row[key]]).map(Number));
      const ranges = names.map((_, i): [number, number] => {
        const own = values.map((value) => value[i] ?? Number.NaN).filter(Number.isFinite);
        return [Math.min(...own), Math.max(...own)];
      });
      return [key, jointUnits(declared, { feature: key, names, ranges, robot: dataset.robot })];
    }),
  );
}

/** Puts the contract beside the episodes; each carries it too. */
async function keepContract(library: string, { contract, text }: ContractFile): Promise<void> {
  await mkdir(library, { recursive: true });
  const file = join(library, `${contract.name}.yaml`);
  const existing = await readFile(file, 'utf8').catch(() => undefined);
  if (existing !== undefined && existing !== text) {
    throw new UsageError(
      `Cannot import into "${library}": "${file}" says otherwise than this import would. ` +
        'Declare the same units and action space as before, or give another --out or --name.',
    );
  }
  if (existing === undefined) await writeFile(file, text, { flag: 'wx' });
}
