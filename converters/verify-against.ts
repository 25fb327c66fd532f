import type { Contract } from '../schemas/contract.ts';
import type { DatasetManifest, ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { MissingFeatureError, UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { storedContract } from '../schemas/stored-contract.ts';
import { verifyAudioAgainst } from './audio/verify-audio.ts';
import type { EpisodeReading } from './dataset-reading.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { imageFeatures } from './frame-columns.ts';
import { ManifestComparison } from './verify-manifest.ts';
import { comparePictures, sampleFrames } from './verify-pictures.ts';
import { type Truth, Truths } from './verify-truth.ts';
import { compareValues } from './verify-values.ts';
import { WindowsRead } from './verify-windows.ts';

export interface AgainstOptions {
  /** Recordings that the dataset may be made of. */
  readonly recordings: readonly string[];
  /** The one it was made under. @default the one that a recording carries */
  readonly contract?: { readonly contract: Contract; readonly digest: string };
  /** Frames of each episode whose pictures are compared. @default 4 */
  readonly pictures?: number;
  /** Another seed compares other pictures. @default 0 */
  readonly seed?: number;
}

/** What was held against the recordings. */
export interface Coverage {
  /** Episodes whose recording was at hand. */
  episodes: number;
  /** Numbers of all rows: values, ages, masks, tick times. */
  numbers: number;
  /** Texts of features, and instructions. */
  texts: number;
  /** Pictures. */
  pictures: number;
  /** Pictures that were chosen and have no counterpart in the recording: masked ones, and goals. */
  picturesWithoutSource: number;
  /** Pictures of all frames of those episodes. */
  picturesInAll: number;
  /** Whether the manifest's figures of the features were compared, which takes the recordings of all episodes. */
  features: boolean;
}

export interface Comparison {
  /** One sentence per fault, naming file, row and message. */
  readonly faults: readonly string[];
  readonly coverage: Readonly<Coverage>;
}

/**
 * Holds a dataset against the recordings: every number and text of every row, some pictures, that no window is
 * missing, and what the manifest says of episodes and features, with what the recordings give under the contract.
 *
 * @throws {UsageError} when the contract is not at hand.
 */
export async function verifyAgainst(
  directory: string,
  { manifest, format }: { readonly manifest: DatasetManifest; readonly format: DatasetFormat },
  options: AgainstOptions,
): Promise<Comparison> {
  const files = new Map<string, string>();
  for (const file of options.recordings) files.set(await fileDigest(file), file);
  const { contract } = options.contract ?? (await contractIn(files.values(), manifest));
  await using reader = new DatasetComparison({ manifest, contract, files, options });
  try {
    for await (const reading of format.read(directory, contract)) await reader.add(reading, format.name);
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    if (error instanceof MissingFeatureError || error instanceof UsageError) throw error;
    reader.faults.push((error as Error).message);
  }
  for (const said of manifest.episodes) {
    const file = files.get(said.digest);
    if (file) reader.faults.push(...(await verifyAudioAgainst(directory, said, { file, contract })));
  }
  return reader.end(directory);
}

/** One dataset, reading by reading. */
class DatasetComparison implements AsyncDisposable {
  readonly faults: string[] = [];
  readonly #options: AgainstOptions;
  readonly #contract: Contract;
  readonly #truths: Truths;
  readonly #manifest: ManifestComparison;
  /** By id. */
  readonly #said: ReadonlyMap<string, ManifestEpisode>;
  readonly #left: Set<string>;
  readonly #windows = new WindowsRead();
  readonly #coverage = {
    ...{ episodes: 0, numbers: 0, texts: 0, pictures: 0, picturesWithoutSource: 0, picturesInAll: 0 },
  };

  constructor({
    manifest,
    contract,
    files,
    options,
  }: {
    readonly manifest: DatasetManifest;
    readonly contract: Contract;
    readonly files: ReadonlyMap<string, string>;
    readonly options: AgainstOptions;
  }) {
    this.#options = options;
    this.#contract = contract;
    this.#truths = new Truths(contract, files);
    this.#manifest = new ManifestComparison(manifest, contract);
    this.#said = new Map(manifest.episodes.map((episode) => [episode.id, episode]));
    this.#left = new Set(this.#said.keys());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#truths[Symbol.asyncDispose]();
  }

  async add(reading: EpisodeReading, format: string): Promise<void> {
    const { id, recording, window } = reading;
    const said = this.#said.get(id);
    const place = window?.place ?? reading.columns[0]?.place ?? format;
    if (said?.digest !== recording) {
      this.faults.push(`${place}: is of episode "${id}", ${recording}, which the manifest does not name.`);
      return;
    }
    const isFirst = this.#left.delete(id);
    if (!isFirst && !window) this.faults.push(`${place}: episode "${id}" is there a second time.`);
    const truth = await this.#truths.of(said);
    if (typeof truth === 'string') {
      this.faults.push(truth);
      return;
    }
    if (isFirst) {
      this.faults.push(...this.#manifest.add(said, truth));
      this.#coverage.episodes++;
      this.#coverage.picturesInAll += truth.numbers.frames * imageFeatures(this.#contract).length;
    }
    if (window) this.faults.push(...this.#windows.add(id, window, truth));
    await this.#compare(reading, truth);
  }

  end(directory: string): Comparison {
    const { faults } = this;
    for (const id of this.#left) faults.push(`${directory}: nothing of episode "${id}" can be read.`);
    faults.push(...this.#windows.missing(directory), ...this.#manifest.featureFaults());
    return {
      faults: [...new Set(faults)],
      coverage: { ...this.#coverage, features: this.#manifest.isWhole },
    };
  }

  async #compare(reading: EpisodeReading, truth: Truth): Promise<void> {
    const values = await compareValues(reading, truth);
    this.faults.push(...values.faults);
    if (!values.isWhole) return;
    const { pictures: count = 4, seed = 0 } = this.#options;
    const frames = sampleFrames(reading.id, { numbers: truth.numbers, count, seed });
    const pictures = await comparePictures(reading.pictures(frames), truth);
    this.faults.push(...pictures.faults);
    this.#coverage.numbers += values.numbers;
    this.#coverage.texts += values.texts;
    this.#coverage.pictures += pictures.compared;
    this.#coverage.picturesWithoutSource += pictures.withoutSource;
  }
}

async function contractIn(
  files: Iterable<string>,
  { contract }: DatasetManifest,
): Promise<{ readonly contract: Contract }> {
  for (const file of files) {
    await using reader = await EpisodeReader.open(file);
    const stored = await storedContract(reader);
    if (stored?.digest === contract.digest) return stored;
  }
  throw new UsageError(
    `Cannot compare: the dataset was made under the contract "${contract.name}" (${contract.digest}), which none of ` +
      'the recordings carries. Give it with --contract.',
  );
}
