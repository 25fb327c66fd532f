import type { Contract } from '../schemas/contract.ts';
import type { DatasetManifest, ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { MissingFeatureError, UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { storedContract } from '../schemas/stored-contract.ts';
import type { ColumnReading, EpisodeReading } from './dataset-reading.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { type EpisodeNumbers, NumbersBuilder } from './episode-numbers.ts';
import type { ColumnNumbers } from './frame-columns.ts';
import { messageText } from './message-text.ts';
import { episodesOf, readFrames } from './prepared/prepare-episode.ts';
import { pictureFaults, SourcePictures, sampleFrames } from './verify-pictures.ts';

export interface AgainstOptions {
  /** Recordings that the dataset may be made of. */
  readonly recordings: readonly string[];
  /** The one it was made under. @default the one that a recording carries */
  readonly contract?: { readonly contract: Contract; readonly digest: string };
  /** Pictures of each episode and camera that are compared. @default 4 */
  readonly pictures?: number;
  /** Another seed compares other pictures. @default 0 */
  readonly seed?: number;
}

/**
 * Holds a dataset against the recordings: every number of every row, and some pictures, with what the recording
 * gives under the contract.
 *
 * @returns one sentence per fault, naming file, row and message.
 * @throws {UsageError} when the contract is not at hand.
 */
export async function verifyAgainst(
  directory: string,
  { manifest, format }: { readonly manifest: DatasetManifest; readonly format: DatasetFormat },
  options: AgainstOptions,
): Promise<readonly string[]> {
  const files = new Map<string, string>();
  for (const file of options.recordings) files.set(await fileDigest(file), file);
  const { contract } = options.contract ?? (await contractIn(files.values(), manifest));
  const faults: string[] = [];
  const left = new Map(manifest.episodes.map((episode) => [episode.id, episode]));
  const truths = new Truths(contract, files);
  try {
    for await (const reading of format.read(directory, contract)) {
      const said = manifest.episodes.find(({ id }) => id === reading.id);
      const place = reading.columns[0]?.place ?? format.name;
      if (said?.digest !== reading.recording) {
        faults.push(
          `${place}: is of episode "${reading.id}", ${reading.recording}, which the manifest does not name.`,
        );
        continue;
      }
      left.delete(reading.id);
      const truth = await truths.of(said);
      if (typeof truth === 'string') faults.push(truth);
      else faults.push(...(await readingFaults(reading, { ...truth, contract, options })));
    }
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    if (error instanceof MissingFeatureError || error instanceof UsageError) throw error;
    faults.push((error as Error).message);
  }
  for (const id of left.keys()) faults.push(`${directory}: nothing of episode "${id}" can be read.`);
  return [...new Set(faults)];
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

/** An episode as its recording has it. */
interface Truth {
  readonly file: string;
  readonly numbers: EpisodeNumbers;
  readonly sources: SourcePictures;
  /** What a column has to hold; made once for all parts of an episode. */
  rowsOf(column: ColumnReading['column']): ColumnNumbers;
}

/** What the recordings give, one episode at a time. */
class Truths {
  readonly #contract: Contract;
  readonly #files: ReadonlyMap<string, string>;
  #latest: { readonly id: string; readonly truth: Truth | string } | undefined;

  constructor(contract: Contract, files: ReadonlyMap<string, string>) {
    this.#contract = contract;
    this.#files = files;
  }

  /** @returns a fault where the recording is not at hand. */
  async of(said: ManifestEpisode): Promise<Truth | string> {
    if (this.#latest?.id !== said.id) this.#latest = { id: said.id, truth: await this.#read(said) };
    return this.#latest.truth;
  }

  async #read({ id, digest, file: name }: ManifestEpisode): Promise<Truth | string> {
    const file = this.#files.get(digest);
    if (!file) return `episode "${id}": its recording "${name}" (${digest}) is not among those given.`;
    const episode = (await episodesOf(file, this.#contract)).find((each) => each.id === id);
    if (!episode) return `episode "${id}": the labels of "${file}" do not keep it any more.`;
    const builder = new NumbersBuilder(this.#contract);
    await readFrames(file, this.#contract, {
      digest,
      episode,
      decodesPictures: false,
      onFrame: (frame) => builder.add(frame),
    });
    const numbers = builder.build();
    const known = new Map<ColumnReading['column'], ColumnNumbers>();
    const rowsOf: Truth['rowsOf'] = (column) => {
      const rows = known.get(column) ?? column.rows(numbers);
      known.set(column, rows);
      return rows;
    };
    return { file, numbers, rowsOf, sources: new SourcePictures(file, this.#contract, numbers) };
  }
}

interface Compared extends Truth {
  readonly contract: Contract;
  readonly options: AgainstOptions;
}

async function readingFaults(reading: EpisodeReading, compared: Compared): Promise<string[]> {
  const { numbers, options } = compared;
  const columns = reading.columns.map((column) => against(column, compared));
  // Where rows are missing, nothing else can be compared.
  const missing = columns.filter(({ isWhole }) => !isWhole);
  if (missing.length > 0)
    return missing.map(({ place, stored, frames }) => {
      return `${place}: holds ${stored} rows, "${compared.file}" gives ${frames.length}.`;
    });
  const frames = sampleFrames(reading.id, { numbers, count: options.pictures ?? 4, seed: options.seed ?? 0 });
  const pictures = await pictureFaults(reading.pictures(frames), compared);
  return [...columns.flatMap((column) => rowFault(column, compared) ?? []), ...pictures];
}

interface ComparedColumn extends Omit<ColumnReading, 'frames'> {
  /** What the recording gives for every frame of the episode. */
  readonly expected: ColumnNumbers;
  /** Elements of a row. */
  readonly width: number;
  /** Frame of each row that there must be. */
  readonly frames: readonly number[];
  /** Rows that there are. */
  readonly stored: number;
  readonly isWhole: boolean;
}

function against(reading: ColumnReading, { numbers, rowsOf }: Compared): ComparedColumn {
  const expected = rowsOf(reading.column);
  const width = expected.length / numbers.frames;
  const frames =
    reading.frames?.(numbers.frames) ?? Array.from({ length: numbers.frames }, (_, frame) => frame);
  const stored = reading.values.length / width;
  return { ...reading, expected, width, frames, stored, isWhole: stored === frames.length };
}

/** The first row of a column that is not what the recording gives. */
function rowFault(
  { place, column, values, firstRow = 0, expected, width, frames }: ComparedColumn,
  compared: Compared,
): string | undefined {
  for (const [row, frame] of frames.entries()) {
    for (let i = 0; i < width; i++) {
      const [found, wanted] = [values[row * width + i]!, expected[frame * width + i]!];
      if (isSame(found, wanted)) continue;
      return (
        `${place}, row ${firstRow + row}: element ${i} is ${found}, "${compared.file}" gives ${wanted} ` +
        `(frame ${frame}${messageText(frame, column.key, compared)}).`
      );
    }
  }
  return undefined;
}

/** Formats that know 32 bits only have the nearest number of those. */
function isSame(found: number | bigint, wanted: number | bigint): boolean {
  if (found === wanted) return true;
  if (typeof found === 'bigint' || typeof wanted === 'bigint') return found.toString() === wanted.toString();
  return (
    Object.is(found, wanted) || found === Math.fround(wanted) || (Number.isNaN(found) && Number.isNaN(wanted))
  );
}
