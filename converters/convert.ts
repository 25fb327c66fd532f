import type { ContractFile } from '../schemas/contract-file.ts';
import type { ManifestEpisode, ManifestFeature } from '../schemas/dataset-manifest.ts';
import { ConvertError, UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import type { Verdict } from '../schemas/finding.ts';
import { yamlPosition } from '../schemas/yaml-document.ts';
import { DatasetFolders } from './dataset-folders.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { type EpisodeNumbers, NumbersBuilder } from './episode-numbers.ts';
import {
  type EpisodeSource,
  readSources,
  type SkippedEpisode,
  type UnreadLabels,
} from './episode-sources.ts';
import { imageFeatures } from './frame-columns.ts';
import { FeatureTable } from './manifest.ts';
import { manifestEpisode, type PlacedEpisode, placeEpisodes } from './placed-episode.ts';
import { mergeForms } from './prepared/picture-form.ts';
import { episodesOf, type PrepareRequest, readFrames, recordingPart } from './prepared/prepare-episode.ts';
import { prepareAll } from './prepared/prepare-pool.ts';
import type { EpisodeFacts } from './prepared/prepared-episode.ts';
import { PreparedFolder } from './prepared/prepared-folder.ts';
import { type ConvertProgress, ProgressMeter } from './progress-meter.ts';
import { storageFault } from './storage-fault.ts';
import { surveyVideos, videoRecords } from './video-survey.ts';
import { type ConvertedDataset, videosOf, writeDatasets } from './write-datasets.ts';

export interface ConvertOptions {
  readonly contract: ContractFile;
  /** Written side by side from one reading and decoding of each episode. */
  readonly formats: readonly DatasetFormat[];
  /** Each dataset becomes a folder in here, named after its format. */
  readonly directory: string;
  /** Version of this program, for provenance. */
  readonly version: string;
  /** Recordings that are prepared at the same time; with more than 1 in processes of their own. @default 1 */
  readonly workers?: number;
  /** Whether an episode that fails ends it all; else it is left out and named. @default false */
  readonly strict?: boolean;
  /** Whether episodes that an earlier conversion prepared in the same way are taken as they are. @default false */
  readonly resume?: boolean;
  /** Whether datasets that exist get the episodes that they lack; resumes too. @default false */
  readonly append?: boolean;
  /** Whether prepared episodes stay for the next resume or append; else each is removed once it is written. @default true */
  readonly keepPrepared?: boolean;
  /** What the checks made of the recordings, by digest; the manifest and the card say it. @default nothing */
  readonly verdicts?: ReadonlyMap<string, Verdict>;
  /** Told after every frame. */
  readonly onProgress?: (progress: ConvertProgress) => void;
  /** Ends the conversion; no dataset is left then. */
  readonly signal?: AbortSignal;
}

/** Messages of an episode that came too late for the frames they belong to, and are in none of them. */
export interface LateMessages {
  readonly episode: string;
  readonly stream: string;
  readonly messages: number;
}

export interface Conversion {
  readonly datasets: readonly ConvertedDataset[];
  readonly late: readonly LateMessages[];
  /** Recordings that a label discards, which are in no dataset. */
  readonly discarded: readonly string[];
  /** Recordings that failed, which are in no dataset. */
  readonly skipped: readonly SkippedEpisode[];
  readonly unreadLabels: readonly UnreadLabels[];
}

/**
 * Turns episodes into datasets. Each recording is prepared by itself, in a folder beside the datasets; these are
 * then written in the order of the episodes, as `<format>.part`, and get their names when all are whole. The same
 * episodes, contract and version give the same bytes, with however many workers and interruptions.
 *
 * @throws {UsageError} when a target exists, or two episodes bear the same id.
 * @throws {ConvertError} when an episode does not give frames under the contract: any if `strict`, else all.
 */
export async function convertEpisodes(
  files: readonly string[],
  options: ConvertOptions,
): Promise<Conversion> {
  const { contract, formats, directory, append = false, keepPrepared = true } = options;
  const folders = new DatasetFolders(directory, formats);
  try {
    const read = await readSources(files, contract.contract);
    const existing = append ? await folders.existingEpisodes(contract) : [];
    if (!append) await folders.refuseExisting();
    const hasPictures = imageFeatures(contract.contract).length > 0;
    const forms = hasPictures ? mergeForms(await Promise.all(formats.map((each) => each.pictureForm()))) : [];
    await using folder = await PreparedFolder.claim(directory, {
      contractDigest: contract.digest,
      version: options.version,
      forms,
      reuse: append || options.resume === true,
    });
    const requests = read.sources.map(({ file }) => ({
      file,
      contract: contract.contract,
      forms,
      root: folder.root,
    }));
    const prepared = await prepareSources(read.sources, { ...options, requests });
    const failed = [...read.skipped, ...prepared.skipped];
    if (failed[0] && (options.strict || prepared.names.length === 0)) throw failed[0].fault;
    const skipped = failed.map(({ file, fault }) => ({ file, fault: located(fault, contract) }));
    if (prepared.names.length + existing.length === 0) throw nothingLeft(read.discarded);
    const names = await withExisting(prepared.names, { existing, folder });
    const places = new Map<EpisodeFacts, { readonly name: string; readonly stretch: number }>();
    const left = new Map<string, number>();
    for (const name of names) {
      const stretches = await folder.open(name);
      for (const [stretch, { facts }] of stretches.entries()) places.set(facts, { name, stretch });
      left.set(name, stretches.length);
    }
    const placed = placeEpisodes([...places.keys()], contract.contract);
    refuseMoves(placed, existing);
    const datasets = await writeDatasets(placed, {
      ...options,
      folders,
      skipped,
      open: async (facts) => {
        const { name, stretch } = places.get(facts)!;
        return (await folder.open(name))[stretch]!;
      },
      ...(!keepPrepared && {
        onWritten: async (facts) => {
          const { name } = places.get(facts)!;
          left.set(name, left.get(name)! - 1);
          if (left.get(name) === 0) await folder.discard(name);
        },
      }),
    });
    if (keepPrepared) await folder.keepOnly(names);
    else await folder.remove();
    const { discarded, unreadLabels } = read;
    return { datasets, late: placed.flatMap(lateMessages), discarded, skipped, unreadLabels };
  } catch (error) {
    throw (await storageFault(error, directory)) ?? located(error, contract);
  }
}

/** What a conversion would give. */
export interface Preview {
  readonly episodes: readonly ManifestEpisode[];
  readonly features: readonly ManifestFeature[];
  readonly late: readonly LateMessages[];
}

/**
 * Makes all frames but decodes no picture and writes nothing: what there is to know before a long conversion.
 *
 * @throws as {@link convertEpisodes}.
 */
export async function previewEpisodes(
  files: readonly string[],
  options: Pick<ConvertOptions, 'contract' | 'onProgress' | 'signal'> &
    Partial<Pick<ConvertOptions, 'formats'>>,
): Promise<Preview> {
  const { contract, formats = [], signal } = options;
  const storesVideo = formats.some((format) => format.storesVideo);
  try {
    const { sources, skipped } = await readSources(files, contract.contract);
    if (skipped[0]) throw skipped[0].fault;
    const meter = new ProgressMeter('preparing', sources, options.onProgress);
    const read = new Map<EpisodeFacts, EpisodeNumbers>();
    for (const [i, { file }] of sources.entries()) {
      const digest = await fileDigest(file);
      for (const episode of await episodesOf(file, contract.contract)) {
        const builder = new NumbersBuilder(contract.contract);
        const factsOf = await readFrames(file, contract.contract, {
          digest,
          episode,
          decodesPictures: false,
          onFrame: (frame) => {
            builder.add(frame);
            meter.frames(i);
          },
          ...(signal && { signal }),
        });
        const numbers = builder.build();
        const videos = storesVideo && (await surveyVideos(file, contract.contract, episode));
        const facts = {
          ...factsOf(numbers),
          ...(videos && videos.size > 0 && { videos: videoRecords(videos) }),
        };
        read.set(facts, numbers);
      }
      meter.done(i);
    }
    const features = new FeatureTable(contract.contract);
    const placed = placeEpisodes([...read.keys()], contract.contract);
    for (const { facts, header } of placed) features.add(read.get(facts)!, header);
    return {
      episodes: placed.map((each) => {
        const videos = formats.map((format) => videosOf(each.facts, format)).find(({ length }) => length > 0);
        return { ...manifestEpisode(each), ...(videos && { videos: [...videos] }) };
      }),
      features: features.rows(),
      late: placed.flatMap(lateMessages),
    };
  } catch (error) {
    throw located(error, contract);
  }
}

function nothingLeft(discarded: readonly string[]): UsageError {
  return new UsageError(
    `Cannot convert: a label discards each of the ${discarded.length} recordings. Keep one on the page, or name others.`,
  );
}

/** Adds the line of the contract that has to be corrected. */
function located<E>(error: E, { text }: ContractFile): E | ConvertError {
  if (!(error instanceof ConvertError) || !error.contractPath) return error;
  const { message, contractPath } = error;
  const { line } = yamlPosition(text, contractPath, 'contract');
  return new ConvertError(`${message} It is line ${line} of the contract, "${contractPath.join('.')}".`, {
    cause: error,
    contractPath,
  });
}

async function prepareSources(
  sources: readonly EpisodeSource[],
  {
    requests,
    workers = 1,
    strict = false,
    onProgress,
    signal,
  }: ConvertOptions & { readonly requests: readonly PrepareRequest[] },
): Promise<{ readonly names: readonly string[]; readonly skipped: readonly SkippedEpisode[] }> {
  const meter = new ProgressMeter('preparing', sources, onProgress);
  const outcomes = await prepareAll(requests, {
    workers,
    onFrame: (place) => meter.frames(place),
    onDone: (place, outcome) => {
      meter.done(place);
      if (strict && 'fault' in outcome) throw outcome.fault;
    },
    ...(signal && { signal }),
  });
  return {
    names: outcomes.flatMap((outcome) => ('name' in outcome ? [outcome.name] : [])),
    skipped: outcomes.flatMap((outcome, place) =>
      'fault' in outcome ? [{ file: sources[place]!.file, fault: outcome.fault }] : [],
    ),
  };
}

/** The episodes that are in the datasets already, then the others. */
async function withExisting(
  names: readonly string[],
  { existing, folder }: { readonly existing: readonly ManifestEpisode[]; readonly folder: PreparedFolder },
): Promise<readonly string[]> {
  const all = new Set<string>();
  for (const { id, file, digest } of existing) {
    const name = names.find((each) => each.startsWith(recordingPart(digest))) ?? (await folder.find(digest));
    if (name === undefined) {
      throw new UsageError(
        `Cannot append: episode "${id}" of the dataset is not kept ready, so that it has to be converted again. ` +
          `Name its recording "${file}" too.`,
      );
    }
    all.add(name);
  }
  return [...all.union(new Set(names))];
}

/** What was tested on must not be trained on later. */
function refuseMoves(placed: readonly PlacedEpisode[], existing: readonly ManifestEpisode[]): void {
  for (const { header } of placed) {
    const before = existing.find(({ digest }) => digest === header.digest);
    if (!before || before.split === header.split) continue;
    throw new UsageError(
      `Cannot append: with the new episodes, episode "${header.id}" would move from split "${before.split}" to ` +
        `"${header.split}". Convert all episodes into another folder.`,
    );
  }
}

function lateMessages({ facts: { id, late } }: { readonly facts: EpisodeFacts }): LateMessages[] {
  return [...late].map(([stream, messages]) => ({ episode: id, stream, messages }));
}
