import { access, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import type { ContractFile } from '../schemas/contract-file.ts';
import type { DatasetManifest, ManifestEpisode, ManifestFeature } from '../schemas/dataset-manifest.ts';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { ConvertError, UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { yamlPosition } from '../schemas/yaml-document.ts';
import type { DatasetFormat, DatasetWriter } from './dataset-writer.ts';
import { episodeFrames, type FramesReport } from './episode-frames.ts';
import { FeatureTable, manifestClock, writeManifest } from './manifest.ts';
import { assignSplits, checkLeakage, type SplitSettings, type SplitSubject } from './split.ts';

export interface ConvertOptions {
  readonly contract: ContractFile;
  /** Written side by side from one reading and decoding of each episode. */
  readonly formats: readonly DatasetFormat[];
  /** Each dataset becomes a folder in here, named after its format. */
  readonly directory: string;
  /** Version of this program, for provenance. */
  readonly version: string;
  /** Told after every frame. */
  readonly onProgress?: (progress: ConvertProgress) => void;
  /** Ends the conversion; nothing is left then. */
  readonly signal?: AbortSignal;
}

export interface ConvertProgress {
  /** Position of the episode being read, from 0, and how many there are. */
  readonly episode: number;
  readonly episodes: number;
  readonly framesDone: number;
  /** Over all episodes; an estimate from the length of those not yet read. */
  readonly framesExpected: number;
  /** Mean since the start. */
  readonly framesPerSec: number;
}

export interface ConvertedDataset {
  readonly format: string;
  readonly directory: string;
  readonly manifest: DatasetManifest;
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
}

/**
 * Turns episodes into datasets. A dataset is written as `<format>.part` and gets its name when all are
 * whole; a failure leaves none. The same episodes, contract and version give the same bytes.
 *
 * @throws {UsageError} when a target exists, or two episodes bear the same id.
 * @throws {ConvertError} when an episode does not give frames under the contract.
 */
export async function convertEpisodes(
  files: readonly string[],
  options: ConvertOptions,
): Promise<Conversion> {
  const { contract, formats, directory, version } = options;
  const sources = await readSources(files, contract.contract);
  for (const { name } of formats) await refuseExisting(join(directory, name));
  const targets: Target[] = [];
  try {
    for (const format of formats) {
      const part = join(directory, `${format.name}.part`);
      await rm(part, { recursive: true, force: true }); // of a conversion that was killed
      await mkdir(part, { recursive: true });
      const writer = await format.open({
        directory: part,
        contract: contract.contract,
        contractDigest: contract.digest,
        version,
        tasks: [...new Set(sources.map(({ task }) => task))].sort(),
      });
      targets.push({ format, part, writer });
    }
    const read = await writeFrames(sources, { ...options, writers: targets.map(({ writer }) => writer) });
    const datasets = await allDone(targets.map((target) => finish(target, { ...options, ...read })));
    for (const { part, format } of targets) await rename(part, join(directory, format.name));
    return { datasets, late: read.late };
  } catch (error) {
    await Promise.allSettled(targets.map(({ writer }) => writer.abort()));
    for (const { name } of formats)
      await rm(join(directory, `${name}.part`), { recursive: true, force: true });
    throw located(error, contract);
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
  options: Pick<ConvertOptions, 'contract' | 'onProgress' | 'signal'>,
): Promise<Preview> {
  const sources = await readSources(files, options.contract.contract);
  const read = await writeFrames(sources, { ...options, writers: [] }).catch((error: unknown) => {
    throw located(error, options.contract);
  });
  const { episodes, features, late } = read;
  return { episodes, features: features.rows(), late };
}

/** Adds the line of the contract that has to be corrected. */
function located(error: unknown, { text }: ContractFile): unknown {
  if (!(error instanceof ConvertError) || !error.contractPath) return error;
  const { message, contractPath } = error;
  const { line } = yamlPosition(text, contractPath, 'contract');
  return new ConvertError(`${message} It is line ${line} of the contract, "${contractPath.join('.')}".`, {
    cause: error,
    contractPath,
  });
}

interface Target {
  readonly format: DatasetFormat;
  readonly part: string;
  readonly writer: DatasetWriter;
}

interface Source extends SplitSubject {
  readonly split?: string;
  readonly expectedFrames: number;
}

async function readSources(files: readonly string[], contract: Contract): Promise<Source[]> {
  const sources: Source[] = [];
  for (const file of files) {
    await using reader = await EpisodeReader.open(file);
    const info = await reader.info();
    const id = info?.id ?? basename(file, EPISODE_SUFFIX);
    const same = sources.find((source) => source.id === id);
    if (same) {
      throw new UsageError(
        `Cannot convert "${file}": every episode of a dataset needs its own id, but "${same.file}" ` +
          `is "${id}" too. Give each episode once.`,
      );
    }
    const secs = nanosToSecs(reader.endTime - reader.startTime);
    const expectedFrames = Math.ceil(secs * contract.samples.tickRateHz);
    const task = info?.task ?? contract.episode.tasks[0]!;
    sources.push({ file, id, task, info, startTime: reader.startTime, expectedFrames });
  }
  return contract.split ? bySplit(sources, contract.split) : sources;
}

/** The episodes of one split after those of another, as formats name ranges of them. */
function bySplit(sources: readonly Source[], settings: SplitSettings): Source[] {
  const splits = assignSplits(sources, settings);
  const order = Object.keys(settings.shares);
  return sources
    .map((source, i) => ({ ...source, split: splits[i]! }))
    .sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split));
}

async function refuseExisting(directory: string): Promise<void> {
  const exists = await access(directory).then(
    () => true,
    () => false,
  );
  if (exists) {
    throw new UsageError(
      `Cannot write dataset "${directory}": it exists already, and datasets are never written over. ` +
        'Choose another folder, or remove it.',
    );
  }
}

interface FramesRead {
  readonly episodes: readonly ManifestEpisode[];
  readonly features: FeatureTable;
  readonly late: readonly LateMessages[];
}

async function writeFrames(
  sources: readonly Source[],
  {
    contract: { contract },
    writers,
    onProgress,
    signal,
  }: Omit<ConvertOptions, 'formats' | 'directory' | 'version'> & {
    readonly writers: readonly DatasetWriter[];
  },
): Promise<FramesRead> {
  const features = new FeatureTable(contract);
  const episodes: ManifestEpisode[] = [];
  const late: LateMessages[] = [];
  const startMillis = performance.now();
  let framesDone = 0;
  let framesExpected = sources.reduce((sum, source) => sum + source.expectedFrames, 0);
  for (const [index, { file, id, task, split, expectedFrames }] of sources.entries()) {
    const header = {
      index,
      id,
      digest: await fileDigest(file),
      task,
      ...(split !== undefined && { split }),
    };
    for (const writer of writers) await writer.beginEpisode(header);
    await using reader = await EpisodeReader.open(file);
    const frames = episodeFrames(reader, contract, { decodesPictures: writers.length > 0 });
    let startTime: bigint | undefined;
    let step = await frames.next();
    for (; !step.done; step = await frames.next()) {
      signal?.throwIfAborted();
      const frame = step.value;
      startTime ??= frame.tickTime;
      features.add(frame, header);
      await allDone(writers.map((writer) => writer.addFrame(frame)));
      framesDone++;
      const framesPerSec = (framesDone / (performance.now() - startMillis)) * 1000;
      onProgress?.({ episode: index, episodes: sources.length, framesDone, framesExpected, framesPerSec });
    }
    const report = step.value;
    if (startTime === undefined) throw noFrames(file, report);
    for (const writer of writers) await writer.endEpisode();
    framesExpected += report.frames - expectedFrames;
    const { trimmedStart, trimmedEnd } = report;
    episodes.push({
      ...header,
      file: basename(file),
      frames: report.frames,
      trimmedStart,
      trimmedEnd,
      startTime: startTime.toString(),
      clocks: [...report.clocks].map(([stream, clock]) => manifestClock(stream, clock)),
    });
    for (const [stream, messages] of report.lateMessages) late.push({ episode: id, stream, messages });
  }
  checkLeakage(episodes);
  return { episodes, features, late };
}

/** As Promise.all, but waits for every one before it fails: writers are not aborted in the middle of a call. */
async function allDone<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

function noFrames(file: string, { ticks, missingAtStart }: FramesReport): ConvertError {
  const [worst] = [...missingAtStart].sort(([, a], [, b]) => b - a);
  const found = worst
    ? `a frame needs a valid value of every required stream, but "${worst[0]}" has none at ${worst[1]} of ${ticks} ticks`
    : "it holds no message of the contract's streams";
  return new ConvertError(
    `Cannot convert "${file}": ${found}. Check the clock and the tolerance of its features, or leave the ` +
      'episode out.',
  );
}

async function finish(
  { format, part, writer }: Target,
  { contract, version, directory, episodes, features }: ConvertOptions & FramesRead,
): Promise<ConvertedDataset> {
  const samples = await writer.finish();
  const { name, samples: settings } = contract.contract;
  const manifest = await writeManifest(part, {
    version,
    format: format.name,
    contract: { name, digest: contract.digest },
    tickRateHz: settings.tickRateHz,
    clock: settings.clock,
    ...(contract.contract.split && { split: contract.contract.split }),
    frames: episodes.reduce((sum, { frames }) => sum + frames, 0),
    samples,
    episodes: [...episodes],
    features: features.rows(),
  });
  return { format: format.name, directory: join(directory, format.name), manifest };
}
