import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import type { ContractFile } from '../schemas/contract-file.ts';
import type { DatasetManifest, ManifestVideo } from '../schemas/dataset-manifest.ts';
import type { Verdict } from '../schemas/finding.ts';
import { CARD_FILE, datasetCard } from './dataset-card.ts';
import type { DatasetFolders } from './dataset-folders.ts';
import type { DatasetFormat, DatasetWriter } from './dataset-writer.ts';
import type { SkippedEpisode } from './episode-sources.ts';
import { FeatureTable, writeManifest } from './manifest.ts';
import { manifestEpisode, type PlacedEpisode } from './placed-episode.ts';
import type { EpisodeFacts, PreparedEpisode } from './prepared/prepared-episode.ts';
import { type ConvertProgress, ProgressMeter } from './progress-meter.ts';
import { storageFault } from './storage-fault.ts';

export interface ConvertedDataset {
  readonly format: string;
  readonly directory: string;
  readonly manifest: DatasetManifest;
}

export interface WriteOptions {
  readonly contract: ContractFile;
  readonly formats: readonly DatasetFormat[];
  readonly directory: string;
  /** Of those formats, in that directory. */
  readonly folders: DatasetFolders;
  readonly version: string;
  /** For the manifest. */
  readonly skipped: readonly SkippedEpisode[];
  /** By digest of the recording; for manifest and card. */
  readonly verdicts?: ReadonlyMap<string, Verdict>;
  /** Called when its turn has come: what is known of its pictures is not held for all episodes at once. */
  open(episode: EpisodeFacts): Promise<PreparedEpisode>;
  /** Called when every writer has taken it. */
  readonly onWritten?: (episode: EpisodeFacts) => Promise<void>;
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
}

interface OpenDataset {
  readonly format: DatasetFormat;
  readonly part: string;
  readonly writer: DatasetWriter;
}

/** Writes prepared episodes into all datasets at once; one episode's numbers are held in memory. */
export async function writeDatasets(
  episodes: readonly PlacedEpisode[],
  options: WriteOptions,
): Promise<readonly ConvertedDataset[]> {
  const { contract, formats, directory, folders, version, onProgress, signal } = options;
  const features = new FeatureTable(contract.contract);
  const meter = new ProgressMeter(
    'writing',
    episodes.map(({ facts }) => ({ expectedFrames: facts.frames })),
    onProgress,
  );
  const open: OpenDataset[] = [];
  try {
    const parts = await folders.create();
    for (const [i, format] of formats.entries()) {
      const writer = await format.open({
        directory: parts[i]!,
        contract: contract.contract,
        contractDigest: contract.digest,
        version,
        tasks: [...new Set(episodes.map(({ header }) => header.task))].sort(),
      });
      open.push({ format, part: parts[i]!, writer });
    }
    for (const { facts, header } of episodes) {
      signal?.throwIfAborted();
      {
        await using pictures = await options.open(facts);
        const numbers = await pictures.numbers();
        features.add(numbers, header);
        const { audio } = pictures;
        await allDone(open.map(({ writer }) => writer.addEpisode({ header, numbers, pictures, audio })));
        for (const { part } of open) for (const each of audio) await each.copyTo(part, header.index);
      }
      await options.onWritten?.(facts);
      meter.frames(header.index, facts.frames);
      meter.done(header.index);
    }
    const datasets = await allDone(open.map((each) => finish(each, { ...options, episodes, features })));
    await folders.complete();
    return datasets;
  } catch (error) {
    const refused = await storageFault(error, directory);
    await Promise.allSettled(open.map(({ writer }) => writer.abort()));
    await folders.remove();
    throw refused ?? error;
  }
}

async function finish(
  { format, part, writer }: OpenDataset,
  {
    contract,
    version,
    directory,
    episodes,
    features,
    skipped,
    verdicts,
  }: WriteOptions & { readonly episodes: readonly PlacedEpisode[]; readonly features: FeatureTable },
): Promise<ConvertedDataset> {
  const samples = await writer.finish();
  const { name, split, samples: settings } = contract.contract;
  const content = {
    version,
    format: format.name,
    contract: { name, digest: contract.digest },
    tickRateHz: settings.tickRateHz,
    clock: settings.clock,
    ...(split && { split }),
    ...(contract.contract.audio && { audio: manifestAudio(contract.contract.audio) }),
    frames: episodes.reduce((sum, { facts }) => sum + facts.frames, 0),
    samples,
    episodes: episodes.map((placed) => {
      const verdict = verdicts?.get(placed.header.digest);
      const videos = videosOf(placed.facts, format);
      return {
        ...manifestEpisode(placed),
        ...(videos.length > 0 && { videos: [...videos] }),
        ...(verdict && { verdict }),
      };
    }),
    skipped: skipped.map(({ file }) => basename(file)),
    features: features.rows(),
  };
  await writeFile(join(part, CARD_FILE), datasetCard(content, format.card));
  const manifest = await writeManifest(part, content);
  return { format: format.name, directory: join(directory, format.name), manifest };
}

function manifestAudio(audio: NonNullable<Contract['audio']>): DatasetManifest['audio'] {
  return Object.entries(audio).map(([name, { sampleRateHz, channels, format }]) => ({
    ...{ name, sampleRateHz, channels, format },
  }));
}

/** What became of an episode's video in a format. */
export function videosOf(
  { videos = [] }: Pick<EpisodeFacts, 'videos'>,
  { storesVideo }: Pick<DatasetFormat, 'storesVideo'>,
): readonly ManifestVideo[] {
  if (storesVideo !== 'exact') return storesVideo ? videos : [];
  const reason = 'frame 0 is no keyframe';
  return videos.map(({ lead, ...video }) =>
    lead ? { feature: video.feature, made: 'encoded', reason } : video,
  );
}

/** As Promise.all, but waits for every one before it fails: writers are not aborted in the middle of a call. */
async function allDone<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}
